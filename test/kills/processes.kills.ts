/** Writers in Node, Deno and Bun, killed again and again in the middle of what they do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { OpenOptions } from '../../src/base/api.ts';
import { Matrix } from '../matrix.ts';
import { Expected, settle } from './expected.ts';
import { findAll } from './found.ts';
import { buildWriter, isovec, KILLS_FACTOR, killedWriter, type Runtime, runtimes, SEED } from './killing.ts';
import { randomOf } from './workload.ts';

interface Plan {
  runtime: Runtime;
  options: OpenOptions;
  /** How many batches may be under way at once. */
  overlap: number;
  kills: number;
}

const RELAXED: OpenOptions = { durability: 'relaxed', syncInterval: 50 };
const PLANS: readonly Plan[] = [
  { runtime: runtimes.Node, options: {}, overlap: 1, kills: 60 },
  { runtime: runtimes.Node, options: {}, overlap: 6, kills: 60 },
  { runtime: runtimes.Node, options: RELAXED, overlap: 4, kills: 50 },
  { runtime: runtimes.Node, options: { worker: true }, overlap: 3, kills: 30 },
  { runtime: runtimes.Deno, options: {}, overlap: 4, kills: 30 },
  { runtime: runtimes.Deno, options: RELAXED, overlap: 1, kills: 20 },
  { runtime: runtimes.Bun, options: {}, overlap: 4, kills: 20 },
];

/** What a killed holder's lock may take to pass on, with the recovery of a small database: less than locks that nobody renews. */
const TAKEOVER_MS_MAX = 4000;

const root = mkdtempSync(join(tmpdir(), 'isovec-kills-'));
const matrix = new Matrix('killed-processes');
afterAll(() => {
  matrix.write();
  rmSync(root, { recursive: true, force: true });
});

const writer = await buildWriter(root);
const { open } = await isovec();

describe.concurrent('a database whose writer is killed', () => {
  it.each(PLANS.map((plan, number) => ({ ...plan, number, title: titleOf(plan) })))(
    'has all that was acknowledged, and nothing torn: $title',
    async ({ number, ...plan }) => {
      const seed = SEED + number;
      const location = join(root, `db-${number}`);
      const expected = new Expected();
      let done = 0;
      const kills = Math.ceil(plan.kills * KILLS_FACTOR);
      for (let round = 0; round < kills; round++) {
        const random = randomOf(seed, -round - 2);
        const task = { location, seed, start: done, options: plan.options, overlap: plan.overlap };
        const killed = await killedWriter(plan.runtime, writer, task, random);
        const outcome = {
          operation: killed.operation,
          fault: 'SIGKILL of the process',
          backend: 'fs',
          runtime: plan.runtime.name,
        } as const;
        matrix.record({ ...outcome, tried: 1, survived: 0 });
        try {
          done = await check(location, expected, seed, done, killed, round);
        } catch (error) {
          throw new Error(`after kill ${round} of a run with KILLS_SEED=${SEED}: ${killed.operation}`, {
            cause: error,
          });
        }
        matrix.record({ ...outcome, tried: 0, survived: 1 });
      }
      expect(done).toBeGreaterThan(kills);
    },
  );
});

async function check(
  location: string,
  expected: Expected,
  seed: number,
  from: number,
  { acknowledged, begun }: { acknowledged: number; begun: number },
  round: number,
): Promise<number> {
  // Every other time the database is left as the kill left it, and the next writer recovers it.
  const readOnly = round % 2 === 1;
  const asked = performance.now();
  const database = await openIfThere(location, readOnly);
  if (!database) {
    expect(acknowledged).toBe(0);
    return 0;
  }
  expect(performance.now() - asked).toBeLessThan(TAKEOVER_MS_MAX);
  try {
    return settle(expected, seed, from, acknowledged, begun, await findAll(database, seed + round));
  } finally {
    await database.close();
  }
}

async function openIfThere(location: string, readOnly: boolean) {
  try {
    return await open(location, { readOnly });
  } catch (error) {
    // The first writer may have been killed before it had made anything.
    if (readOnly && (error as { code?: string }).code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function titleOf({ runtime, options, overlap, kills }: Plan): string {
  const { durability = 'strict', worker = false } = options;
  return `${kills} times in ${runtime.name}, ${durability}, ${overlap} at once${worker ? ', engine in a worker' : ''}`;
}

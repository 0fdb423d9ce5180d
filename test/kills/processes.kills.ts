/** Writers in Node, Deno and Bun, killed again and again in the middle of what they do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { OpenOptions } from '../../src/base/api.ts';
import { Matrix } from '../matrix.ts';
import { Expected, settle } from './expected.ts';
import { findAll } from './found.ts';
import { bundle, isovec, KILLS_FACTOR, killedWriter, type Runtime, runtimes, SEED } from './killing.ts';
import { randomOf } from './workload.ts';

interface Plan {
  runtime: Runtime;
  options: OpenOptions;
  /** How many batches may be under way at once. */
  overlap: number;
  /** How many processes work in the same database. */
  writers: number;
  /** Of each. */
  kills: number;
}

const RELAXED: OpenOptions = { durability: 'relaxed', syncInterval: 50 };
const PLANS: readonly Plan[] = [
  { runtime: runtimes.Node, options: {}, overlap: 1, writers: 1, kills: 60 },
  { runtime: runtimes.Node, options: {}, overlap: 6, writers: 1, kills: 60 },
  { runtime: runtimes.Node, options: RELAXED, overlap: 4, writers: 1, kills: 50 },
  { runtime: runtimes.Node, options: { worker: true }, overlap: 3, writers: 1, kills: 30 },
  { runtime: runtimes.Node, options: {}, overlap: 3, writers: 3, kills: 10 },
  { runtime: runtimes.Deno, options: {}, overlap: 4, writers: 1, kills: 30 },
  { runtime: runtimes.Deno, options: RELAXED, overlap: 1, writers: 1, kills: 20 },
  { runtime: runtimes.Bun, options: {}, overlap: 4, writers: 1, kills: 20 },
];

/** Less than the time after which a lock that nobody renews passes on: a killed holder's has to sooner. */
const LOCK_TIMEOUT_MS = 4000;

const root = mkdtempSync(join(tmpdir(), 'isovec-kills-'));
const matrix = new Matrix('killed-processes');
afterAll(() => {
  matrix.write();
  rmSync(root, { recursive: true, force: true });
});

const writer = await bundle('writer', root);
const { open } = await isovec();

describe.concurrent('a database whose writer is killed', () => {
  it.each(PLANS.map((plan, number) => ({ ...plan, number, title: titleOf(plan) })))(
    'has all that was acknowledged, and nothing torn: $title',
    async ({ number, ...plan }) => {
      const location = join(root, `db-${number}`);
      const streams = Array.from({ length: plan.writers }, (_, writer) =>
        killAgainAndAgain(plan, location, SEED + number * 10 + writer, plan.writers > 1 ? `${writer}-` : ''),
      );
      await Promise.all(streams);
      const database = await open(location);
      expect(await database.verify()).toMatchObject({ ok: true, problems: [] });
      await database.close();
    },
  );
});

/** @param prefix of the names of this writer's collections */
async function killAgainAndAgain(plan: Plan, location: string, seed: number, prefix: string): Promise<void> {
  const { runtime, options, overlap, writers } = plan;
  const expected = new Expected();
  let done = 0;
  const kills = Math.ceil(plan.kills * KILLS_FACTOR);
  for (let round = 0; round < kills; round++) {
    const task = { location, seed, start: done, options, overlap, prefix };
    const killed = await killedWriter(runtime, writer, task, randomOf(seed, -round - 2));
    const outcome = {
      operation: `${killed.operation} (${options.durability ?? 'strict'})`,
      fault: writers > 1 ? `SIGKILL of one of ${writers} writing processes` : 'SIGKILL of the process',
      backend: 'fs',
      runtime: runtime.name,
    } as const;
    matrix.record({ ...outcome, tried: 1, survived: 0 });
    try {
      // Every other time the database is left as the kill left it, and the next writer recovers it.
      const database = await openIfThere(location, round % 2 === 1);
      if (!database) expect(killed.acknowledged).toBe(0);
      else {
        const found = await findAll(database, seed + round, prefix);
        await database.close();
        done = settle(expected, seed, done, killed.acknowledged, killed.begun, found);
      }
    } catch (cause) {
      const what = `${killed.operation}, ${location}, writer '${prefix}'`;
      throw new Error(`after kill ${round} of a run with KILLS_SEED=${SEED}: ${what}`, { cause });
    }
    matrix.record({ ...outcome, tried: 0, survived: 1 });
  }
  expect(done).toBeGreaterThan(kills);
}

/** Waits for the killed holder's lock no longer than a living one may keep it. */
async function openIfThere(location: string, readOnly: boolean) {
  try {
    return await open(location, { readOnly, lockTimeout: LOCK_TIMEOUT_MS });
  } catch (error) {
    // The first writer may have been killed before it had made anything.
    if (readOnly && (error as { code?: string }).code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function titleOf({ runtime, options, overlap, writers, kills }: Plan): string {
  const { durability = 'strict', worker = false } = options;
  return `${kills * writers} times in ${writers} of ${runtime.name}, ${durability}, ${overlap} at once${worker ? ', engine in a worker' : ''}`;
}

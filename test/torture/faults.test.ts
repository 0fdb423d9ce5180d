import { afterAll, describe, expect, it } from 'vitest';
import type { CollectionConfig, Database } from '../../src/base/api.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import { openLocal } from '../../src/store/open.ts';
import { Matrix } from '../matrix.ts';
import { vectorOf } from '../store/fixture.ts';
import { copyOfFiles, memoryPlatform } from '../store/memory-platform.ts';
import { type Fault, type FaultPlan, FaultyBackend } from './faulty-backend.ts';
import { checkAnswers, digestOfDatabase, World } from './world.ts';

const DIMENSIONS = 3;
const CONFIG = { dimensions: DIMENSIONS, metric: 'euclidean' as const } satisfies CollectionConfig;

interface Step {
  operation: string;
  /** May be repeated when it has failed. */
  run: (database: Database) => Promise<unknown>;
  /** What it does to the world; left out where it does nothing. */
  change?: (world: World) => World;
}

const record = (number: number, generation: number) => ({
  id: `id${number}`,
  vector: vectorOf(number + generation * 100 + 1, DIMENSIONS),
  metadata: { number, generation },
});

const upserts = (name: string, generation: number, numbers: number[]): Step => {
  const batch = numbers.map((number) => record(number, generation));
  return {
    operation: 'upsert',
    run: async (database) => (await database.collection(name)).upsert(batch),
    change: (world) =>
      world.change(name, (records) => {
        for (const { id, vector, metadata } of batch)
          records.set(id, { vector: Float32Array.from(vector), metadata });
      }),
  };
};

const creates = (name: string): Step => ({
  operation: 'create collection',
  run: (database) => database.collection(name, CONFIG),
  change: (world) =>
    world.collections.has(name) ? world : world.with(name, { config: CONFIG, records: new Map() }),
});

const deletes = (name: string, numbers: number[]): Step => ({
  operation: 'delete',
  run: async (database) => (await database.collection(name)).delete(numbers.map((number) => `id${number}`)),
  change: (world) =>
    world.change(name, (records) => {
      for (const number of numbers) records.delete(`id${number}`);
    }),
});

const drops = (name: string): Step => ({
  operation: 'drop collection',
  run: async (database) => {
    const names = (await database.collections()).map((info) => info.name);
    if (names.includes(name)) await database.dropCollection(name);
  },
  change: (world) => world.without(name),
});

const transacts = (generation: number): Step => ({
  operation: 'transaction',
  run: (database) =>
    database.transaction(async (transaction) => {
      await transaction.collection('a').upsert(record(1, generation));
      await transaction.collection('b').upsert(record(2, generation));
    }),
  change: (world) => upserts('b', generation, [2]).change!(upserts('a', generation, [1]).change!(world)),
});

const checkpoint: Step = { operation: 'checkpoint', run: (database) => database.checkpoint() };
const compact: Step = { operation: 'compaction', run: (database) => database.compact() };
const flush: Step = { operation: 'flush', run: (database) => database.flush() };

const LIFE: Step[] = [
  creates('a'),
  upserts('a', 0, [1, 2, 3, 4, 5, 6]),
  creates('b'),
  upserts('b', 0, [1, 2]),
  flush,
  checkpoint,
  upserts('a', 1, [2, 3, 7]),
  deletes('a', [1]),
  transacts(1),
  checkpoint,
  compact,
  drops('b'),
  upserts('a', 2, [4, 8]),
  creates('b'),
  transacts(2),
  compact,
  upserts('a', 3, [8, 9]),
];

let places = 0;

/** In a place of its own, so that no lock of an earlier life stands in the way. */
function open(backend: FaultyBackend, durability: 'strict' | 'relaxed'): Promise<Database> {
  const platform = memoryPlatform(new Map(), () => backend);
  return openLocal(platform, `faulty-${++places}`, { durability, syncInterval: 86_400_000 });
}

/** Opens a copy of the files as a crash would have left them. @returns the digest of what is in them */
async function digestAfterCrash(files: MemoryFiles): Promise<string> {
  const database = await open(new FaultyBackend(copyOfFiles(files)), 'strict');
  const digest = await digestOfDatabase(database);
  await database.close();
  return digest;
}

interface Tried {
  operation: string;
  /** Undefined when the plan's call was never reached. */
  failed: FaultyBackend['failed'];
}

/**
 * One life with one fault. Whatever fails says so, changes nothing that is seen, and succeeds when it is repeated after
 * the fault has gone.
 */
async function live(plan: FaultPlan, durability: 'strict' | 'relaxed'): Promise<Tried> {
  const files = new MemoryFiles();
  const backend = new FaultyBackend(files, plan);
  let operation = 'open';
  let database = await open(backend, durability).catch((error) => {
    expectFault(error, plan.fault);
    return open(new FaultyBackend(files), durability);
  });
  let world = new World();
  for (const step of LIFE) {
    const before = backend.failed;
    const after = step.change?.(world) ?? world;
    try {
      await step.run(database);
    } catch (error) {
      expectFault(error, plan.fault);
      // Of a step in several parts, a drop and its checkpoint, the first may have been done.
      const possible = [world.digest, after.digest];
      const live = await digestOfDatabase(database);
      if (step.operation === 'drop collection') expect(possible).toContain(live);
      else expect(live).toBe(world.digest);
      // A write that failed may be found after a crash, but then whole.
      expect(possible).toContain(await digestAfterCrash(files));
      backend.heal();
      await step.run(database);
    }
    if (backend.failed && !before) operation = step.operation;
    world = after;
    expect(await digestOfDatabase(database)).toBe(world.digest);
  }
  expect(await digestAfterCrash(files)).toBe(world.digest);
  const before = backend.failed;
  await database.close().catch((error) => expectFault(error, plan.fault));
  if (backend.failed && !before) operation = 'close';
  backend.heal();
  database = await open(new FaultyBackend(files), durability);
  await checkAnswers(database, world, (dimensions) => vectorOf(5, dimensions));
  expect(await digestOfDatabase(database)).toBe(world.digest);
  await database.close();
  return { operation, failed: backend.failed };
}

function expectFault(error: unknown, fault: Fault): void {
  expect(error).toMatchObject({
    name: 'IsovecError',
    code: fault === 'EIO' ? 'STORAGE_IO' : 'QUOTA_EXCEEDED',
    message: expect.stringMatching(/\w/),
  });
}

const plans = [
  { fault: 'EIO', lasts: false, isShort: true },
  { fault: 'ENOSPC', lasts: true, isShort: true },
] as const;

describe('a call to the storage that fails', () => {
  const matrix = new Matrix('faults');
  afterAll(() => matrix.write());

  describe.each(['strict', 'relaxed'] as const)('under %s durability', (durability) => {
    it.each(plans)(
      'is told, loses nothing acknowledged, and is overcome when it is gone ($fault, lasts: $lasts, short write: $isShort)',
      async (plan) => {
        for (let at = 0; ; at++) {
          const place = { ...plan, at };
          let tried: Tried;
          try {
            tried = await live(place, durability);
          } catch (error) {
            throw new Error(`call ${at}: ${error}`, { cause: error });
          }
          if (!tried.failed) {
            expect(at).toBeGreaterThan(100);
            return;
          }
          const { operation, failed } = tried;
          const until = plan.lasts ? 'until it is gone' : 'once';
          const how = plan.isShort && failed.call === 'write' ? 'short write, ' : '';
          matrix.record({
            operation,
            fault: `${how}${plan.fault} at ${failed.call}, ${until}`,
            backend: 'memory',
            runtime: 'Node',
            tried: 1,
            survived: 1,
          });
        }
      },
    );
  });
});

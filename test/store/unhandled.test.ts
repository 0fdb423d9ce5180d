import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Collection, Database } from '../../src/base/api.ts';
import { openLocal } from '../../src/store/open.ts';
import type { Platform } from '../../src/store/platform.ts';
import { type Fault, FlakyProvider } from '../storage/flaky-provider.ts';
import { someBytes } from '../storage/helpers.ts';
import { vectorOf } from './fixture.ts';
import { memoryPlatform } from './memory-platform.ts';

const LIVES = 60;
const STEPS = 40;
const DIMENSIONS = 4;

const unhandled: unknown[] = [];
const listen = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', listen);
});
afterEach(() => {
  process.off('unhandledRejection', listen);
});

/** Node tells of a rejection once the turn in which it happened is over. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Handles what the caller gets, as callers do; whatever else is rejected inside is isovec's own. */
function started(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch(() => {});
}

/** Fails so many operations of a hundred, once told to. */
function failingPlatform(next: () => number, fault: { percent: number }): Platform {
  const platform = memoryPlatform(new Map());
  const nextFault = (): Fault => {
    if (next() * 100 >= fault.percent) return 'none';
    return next() < 0.2 ? 'transient' : 'permanent';
  };
  return {
    ...platform,
    async storage(kind, location) {
      const found = await platform.storage(kind, location);
      return { ...found, provider: new FlakyProvider(found.provider, nextFault) };
    },
  };
}

/** One call that nobody waits for. */
function step(next: () => number, database: Database, collection: Collection): Promise<unknown> {
  const any = Math.floor(next() * 50);
  const record = (index: number) => ({ id: `id${index}`, vector: vectorOf(index + 1, DIMENSIONS) });
  const controller = new AbortController();
  const { signal } = controller;
  const fate = next();
  if (fate < 0.3) queueMicrotask(() => controller.abort());
  else if (fate < 0.5) setImmediate(() => controller.abort());
  const steps: (() => Promise<unknown>)[] = [
    () => collection.upsert([record(any), record(any + 1)], { signal }),
    () => collection.insert(record(any), { priority: 'bulk', signal }),
    () => collection.delete(`id${any}`),
    () => collection.get(`id${any}`),
    () => collection.query({ vector: vectorOf(any + 1, DIMENSIONS), signal }),
    async () => {
      for await (const { id } of collection.scan({ batchSize: 2 })) if (id.endsWith('3')) break;
    },
    async () => collection.scan()[Symbol.asyncIterator]().next(), // and dropped
    () => database.flush(),
    () => database.checkpoint(),
    () => database.compact(),
    () => database.stats(),
    () =>
      database.transaction(
        async (tx) => {
          started(tx.collection('c').upsert(record(any)));
          await tx.collection('c').get(`id${any}`);
          if (next() < 0.5) throw new Error('rolled back');
        },
        { signal },
      ),
    () => database.collection(`c${any % 3}`, { dimensions: 1 + (any % 2) }),
    () => database.dropCollection(`c${any % 3}`),
  ];
  return steps[Math.floor(next() * steps.length)]!();
}

describe('whatever fails, is aborted, or is closed under way', () => {
  for (const durability of ['strict', 'relaxed'] as const)
    it(`leaves no rejection unhandled (${durability})`, async () => {
      for (let life = 0; life < LIVES; life++) {
        const random = someBytes(4000, life + 1);
        let at = 0;
        const next = () => random[at++ % random.length]! / 256;
        const fault = { percent: 0 };
        const platform = failingPlatform(next, fault);
        const database = await openLocal(platform, `life-${durability}-${life}`, {
          durability,
          syncInterval: 1,
        });
        const collection = await database.collection('c', { dimensions: DIMENSIONS });
        fault.percent = [0, 5, 30, 100][life % 4]!;
        const running: Promise<unknown>[] = [];
        for (let count = 0; count < STEPS; count++) {
          running.push(started(step(next, database, collection)));
          if (next() < 0.3) await nextTurn();
        }
        if (life % 2 === 0) await Promise.all(running);
        await started(database.close());
        await Promise.all(running);
        await nextTurn();
        expect(unhandled, `life ${life}`).toEqual([]);
      }
    });

  it('leaves none when opening fails or is aborted', async () => {
    for (let life = 0; life < LIVES; life++) {
      const random = someBytes(1000, life + 1000);
      let at = 0;
      const next = () => random[at++ % random.length]! / 256;
      const platform = failingPlatform(next, { percent: life % 3 === 0 ? 100 : 20 });
      const controller = new AbortController();
      const { signal } = controller;
      const opening = openLocal(platform, `opening-${life}`, { signal });
      const closed = started(opening.then((database) => database.close()));
      for (let turns = life % 5; turns > 0; turns--) await nextTurn();
      controller.abort();
      await closed;
      await nextTurn();
      expect(unhandled, `life ${life}`).toEqual([]);
    }
  });

  it('leaves none when the kernel cannot be loaded', async () => {
    const platform = memoryPlatform(new Map());
    const broken = { ...platform, loadKernel: () => Promise.reject(new Error('no kernel')) };
    for (const nextFault of [() => 'none', () => 'permanent'] as (() => Fault)[]) {
      const failing: Platform = {
        ...broken,
        async storage(kind, location) {
          const found = await platform.storage(kind, location);
          return { ...found, provider: new FlakyProvider(found.provider, nextFault) };
        },
      };
      await expect(openLocal(failing, `kernel-${nextFault()}`, {})).rejects.toThrow();
    }
    await nextTurn();
    expect(unhandled).toEqual([]);
  });
});

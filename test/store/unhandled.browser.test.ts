import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, destroy, type OpenOptions, open } from '../../dist/index.js';

const unhandled: unknown[] = [];
const listen = (event: PromiseRejectionEvent) => {
  event.preventDefault();
  unhandled.push(event.reason);
};
beforeEach(() => {
  unhandled.length = 0;
  addEventListener('unhandledrejection', listen);
});
afterEach(() => removeEventListener('unhandledrejection', listen));

/** The event is a task of its own. */
const afterTheEvent = () => new Promise((resolve) => setTimeout(resolve, 50));

/** Handles what the caller gets, as callers do; whatever else is rejected inside is isovec's own. */
const started = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => {});

const DIMENSIONS = 4;
const record = (index: number) => ({ id: `id${index}`, vector: [1, index, 2, 3] });

/** Calls that nobody waits for, some of them aborted. */
async function startMany(database: Database): Promise<unknown[]> {
  const collection = await database.collection('c', { dimensions: DIMENSIONS });
  await collection.insert(Array.from({ length: 50 }, (_, index) => record(index)));
  const running: Promise<unknown>[] = [];
  for (let round = 0; round < 20; round++) {
    const controller = new AbortController();
    const { signal } = controller;
    running.push(
      collection.upsert([record(round), record(round + 100)], { signal }),
      collection.query({ vector: [1, round, 2, 3], signal }),
      collection.insert(record(round)), // a duplicate
      collection.scan({ batchSize: 2 })[Symbol.asyncIterator]().next(), // and dropped
      database.transaction(
        async (tx) => {
          started(tx.collection('c').upsert(record(round)));
          throw new Error('rolled back');
        },
        { signal },
      ),
      database.flush(),
      database.checkpoint(),
      database.compact(),
      database.stats(),
    );
    if (round % 2 === 0) controller.abort();
    else setTimeout(() => controller.abort(), round);
  }
  return running.map(started);
}

async function deleteIndexedDb(location: string): Promise<void> {
  await new Promise((resolve) => {
    indexedDB.deleteDatabase(`isovec:${location}`).onsuccess = resolve;
  });
}

const cases: OpenOptions[] = [
  { storage: 'opfs' },
  { storage: 'indexeddb' },
  // Here the engine itself is on the page, so its own rejections are seen too.
  { storage: 'indexeddb', worker: false },
  { storage: 'indexeddb', worker: false, durability: 'relaxed', syncInterval: 1 },
];

describe('no rejection is left unhandled on a page', () => {
  for (const options of cases) {
    const name = JSON.stringify(options);

    it(`when a database is closed in the middle of everything: ${name}`, async () => {
      const place = crypto.randomUUID();
      const database = await open(place, options);
      const running = await startMany(database);
      await started(database.close());
      await Promise.all(running);
      await afterTheEvent();
      expect(unhandled).toEqual([]);
      await destroy(place, options);
    });

    it(`when opening is aborted: ${name}`, async () => {
      for (const delayMs of [0, 1, 5, 20, 60]) {
        const place = crypto.randomUUID();
        const controller = new AbortController();
        const opening = open(place, { ...options, signal: controller.signal });
        const closed = started(opening.then((database) => database.close()));
        setTimeout(() => controller.abort(), delayMs);
        await closed;
        await destroy(place, options);
      }
      await afterTheEvent();
      expect(unhandled).toEqual([]);
    });
  }

  for (const options of cases.filter(({ storage }) => storage === 'indexeddb'))
    it(`when the storage is deleted under the database: ${JSON.stringify(options)}`, async () => {
      const place = crypto.randomUUID();
      const database = await open(place, options);
      const running = await startMany(database);
      await deleteIndexedDb(place);
      await Promise.all(running);
      await started((await database.collection('c')).insert({ vector: [1, 2, 3, 4] }));
      await started(database.close());
      await afterTheEvent();
      expect(unhandled).toEqual([]);
      await destroy(place, options);
    });
});

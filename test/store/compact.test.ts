import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Collection, Database, StoredRecord } from '../../src/base/api.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';
import { openLocal } from '../../src/store/open.ts';
import { vectorOf } from './fixture.ts';
import { memoryPlatform } from './memory-platform.ts';
import { Model } from './model.ts';

const DIMENSIONS = 4;
/** More than compaction copies at a time. */
const RECORDS = 1500;

/** Every access to a file takes turns with whatever else goes on, as on a device. */
function taking(turns: number): (backend: StorageBackend) => StorageBackend {
  const wait = async () => {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return (backend) => {
    const { open } = backend;
    backend.open = async (name, options) => {
      const file = await open.call(backend, name, options);
      const { read, write } = file;
      file.read = (offset, length) => wait().then(() => read.call(file, offset, length));
      file.write = (offset, bytes) => wait().then(() => write.call(file, offset, bytes));
      return file;
    };
    return backend;
  };
}

let places = 0;

function openFiles(files: MemoryFiles, turns: number): Promise<Database> {
  const location = `compact-${++places}`;
  return openLocal(memoryPlatform(new Map([[location, files]]), taking(turns)), location, {});
}

const record = (index: number, generation: number) => ({
  id: `id${index}`,
  vector: vectorOf(index + generation * 10_000 + 1, DIMENSIONS),
  metadata: { index, generation },
});

const index = fc.integer({ min: 0, max: RECORDS + 100 });
const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom('upsert' as const),
    from: index,
    count: fc.constantFrom<number>(1, 3, 700),
  }),
  fc.record({ kind: fc.constant('delete' as const), from: index, count: fc.constantFrom<number>(1, 5, 300) }),
  fc.record({ kind: fc.constant('again' as const), from: index, count: fc.constantFrom<number>(1, 4) }),
  fc.record({ kind: fc.constantFrom('query' as const, 'scan' as const, 'checkpoint' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const numbered = ({ from, count }: { from: number; count: number }) =>
  Array.from({ length: count }, (_, at) => from + at);

async function perform(
  each: Step,
  generation: number,
  database: Database,
  collection: Collection,
  model: Model,
) {
  switch (each.kind) {
    case 'upsert':
    case 'again': {
      const batch = numbered(each).map((number) => record(number, generation));
      const ids = batch.map(({ id }) => id);
      // Deleted and given again, a record goes to the end.
      if (each.kind === 'again') {
        await collection.delete(ids);
        for (const id of ids) model.records.delete(id);
      }
      await collection.upsert(batch);
      for (const put of batch) model.put(put);
      break;
    }
    case 'delete': {
      const ids = numbered(each).map((number) => `id${number}`);
      await collection.delete(ids);
      for (const id of ids) model.records.delete(id);
      break;
    }
    case 'query':
      await compareQuery(collection, model);
      break;
    case 'scan':
      await compareScan(collection, model);
      break;
    case 'checkpoint':
      await database.checkpoint();
  }
}

async function compareQuery(collection: Collection, model: Model): Promise<void> {
  const vector = vectorOf(7, DIMENSIONS);
  const hits = await collection.query({ vector, topK: 20, exact: true });
  const expected = model.distances(Float32Array.from(vector), 'cosine', 20);
  expect(hits.map(({ distance }) => distance!.toFixed(4))).toEqual(expected.map((each) => each.toFixed(4)));
  for (const { id, metadata } of hits) expect(metadata).toEqual(model.get(id)!.metadata);
}

async function compareScan(collection: Collection, model: Model): Promise<void> {
  const found: StoredRecord[] = [];
  const expected = model.ids.map((id) => model.get(id));
  for await (const each of collection.scan({ batchSize: 400 })) found.push(each);
  expect(found).toEqual(expected);
}

describe('compaction', () => {
  it('goes on beside any writes, deletes, scans, queries and checkpoints, and changes no answer', async () => {
    let steppedDuring = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.integer({ min: 0, max: 4 }),
        async (steps, turns) => {
          const files = new MemoryFiles();
          const database = await openFiles(files, turns);
          const collection = await database.collection('c', {
            dimensions: DIMENSIONS,
            index: { type: 'flat' },
          });
          const model = new Model();
          const other = await database.collection('other', { dimensions: 1 });
          await perform({ kind: 'upsert', from: 0, count: RECORDS }, 0, database, collection, model);
          await perform({ kind: 'delete', from: 100, count: 300 }, 0, database, collection, model);
          const scanning = collection.scan({ batchSize: 10 })[Symbol.asyncIterator]();
          expect((await scanning.next()).value.id).toBe('id0');
          let isCompacting = true;
          const compacted = database.compact().finally(() => {
            isCompacting = false;
          });
          for (const [at, each] of steps.entries()) {
            await perform(each, at + 1, database, collection, model);
            await other.upsert({ id: 'o', vector: [1], metadata: { at } });
            if (isCompacting) steppedDuring++;
          }
          expect((await compacted).recordsDropped).toBeGreaterThanOrEqual(300);
          const rest = [];
          for (let next = await scanning.next(); !next.done; next = await scanning.next())
            rest.push(next.value.id);
          expect(new Set(rest).size).toBe(rest.length);
          await compareScan(collection, model);
          await compareQuery(collection, model);
          const crashed = await openFiles(files, 0);
          await compareScan(await crashed.collection('c'), model);
          await database.compact();
          expect((await collection.info()).garbage).toBe(0);
          await compareScan(collection, model);
          await database.close();
        },
      ),
      { numRuns: 40, seed: 20_261_121 },
    );
    expect(steppedDuring).toBeGreaterThan(50);
  });

  it('leaves nothing behind of a collection that is dropped meanwhile', async () => {
    for (const turns of [0, 1, 2, 3, 5, 8, 13]) {
      const files = new MemoryFiles();
      const database = await openFiles(files, 2);
      const collection = await database.collection('c', { dimensions: DIMENSIONS });
      await collection.insert(numbered({ from: 0, count: RECORDS }).map((number) => record(number, 0)));
      await collection.delete('id1');
      const compacted = database.compact();
      for (let turn = 0; turn < turns * 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      await database.dropCollection('c');
      await compacted;
      await database.checkpoint();
      expect([...files.keys()].filter((name) => name.startsWith('data-'))).toEqual([]);
      await database.close();
    }
  });

  it('leaves the old state, and no new files, when it fails', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files, 0);
    const collection = await database.collection('c', { dimensions: DIMENSIONS });
    await collection.insert(numbered({ from: 0, count: 50 }).map((number) => record(number, 0)));
    await collection.delete('id1');
    await database.checkpoint();
    const names = [...files.keys()].sort();
    const set = files.set.bind(files);
    files.set = (name, content) => {
      if (name === 'data-1-vectors-1') throw new Error('the device is full');
      return set(name, content);
    };
    await expect(database.compact()).rejects.toThrow('full');
    expect([...files.keys()].sort()).toEqual(names);
    expect(await collection.count()).toBe(49);
    files.set = set;
    expect(await database.compact()).toMatchObject({ recordsDropped: 1 });
    expect(await collection.count()).toBe(49);
    await database.close();
  });

  it('goes on, as a checkpoint does, when a collection is dropped meanwhile', async () => {
    for (let turns = 0; turns < 60; turns += 5)
      for (const work of ['checkpoint', 'compact'] as const) {
        const db = await openFiles(new MemoryFiles(), 1);
        const config = { dimensions: DIMENSIONS, text: true, fields: { index: 'number' } } as const;
        const collections = await Promise.all(['a', 'b'].map((name) => db.collection(name, config)));
        for (const collection of collections) {
          await collection.insert(
            Array.from({ length: 50 }, (_, index) => ({ ...record(index, 0), text: 'a' })),
          );
          await collection.delete('id0');
        }
        const working = db[work]();
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        await db.dropCollection('a');
        await working;
        expect(await collections[1]!.count({ index: { $gte: 10 } })).toBe(40);
        expect((await db.verify()).problems).toEqual([]);
        await db.close();
      }
  });
});

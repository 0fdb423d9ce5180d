/** What every store must do, by the public contract alone. Each runtime and backend is a thin caller. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Collection, Database, OpenOptions } from '../../src/base/api.ts';
import { badInput } from './bad-input.ts';
import { explaining } from './explaining.ts';
import { filtering } from './filtering.ts';
import { type NewLocation, type Open, type Store, three, withThree } from './fixture.ts';
import { indexedFields } from './indexed-fields.ts';
import { lifecycle } from './lifecycle.ts';
import { linkCodes } from './link-codes.ts';
import type { Metric } from './model.ts';
import { againstModel } from './model-property.ts';
import { paging } from './paging.ts';
import { quantization } from './quantization.ts';
import { reading } from './reading.ts';
import { sharing } from './sharing.ts';
import { texts } from './text/texts.ts';
import { transactions } from './transactions.ts';
import { validating } from './validating.ts';

let count = 0;

export function describeStore(store: Store): void {
  describe(store.name, () => {
    const opened: Database[] = [];
    const locations: string[] = [];

    const newLocation = (): string => {
      const location = `isovec-suite-${Date.now()}-${++count}`;
      locations.push(location);
      return location;
    };
    const open = async (location = newLocation(), options?: OpenOptions): Promise<Database> => {
      const database = await store.open(location, options);
      opened.push(database);
      return database;
    };

    afterEach(async () => {
      for (const database of opened.splice(0)) await database.close();
      for (const location of locations.splice(0)) await store.destroy(location);
    });

    basics(open, newLocation);
    badInput(open, newLocation);
    lifecycle(open, newLocation, store);
    transactions(open, newLocation);
    filtering(open, newLocation, store);
    validating(open, newLocation);
    reading(open);
    paging(open, store);
    texts(open, newLocation, store);
    indexedFields(open, newLocation, store);
    explaining(open, store);
    if (!store.hasNoQuantization) {
      quantization(open, newLocation);
      linkCodes(open, newLocation);
    }
    sharing(open, newLocation, store);
    againstModel(open, newLocation, store);
  });
}

function basics(open: Open, newLocation: NewLocation): void {
  it('finds what was just inserted, nearest first, with scores', async () => {
    const collection = await withThree(await open());
    const hits = await collection.query({ vector: [1, 0.1, 0], topK: 2 });
    expect(hits.map(({ id }) => id)).toEqual(['x', 'xy']);
    expect(hits[0]!.metadata).toEqual(three[0]!.metadata);
    expect(hits[0]!.score).toBeCloseTo(1 / Math.sqrt(1.01), 5);
    expect(hits[0]!.distance).toBeCloseTo(1 - 1 / Math.sqrt(1.01), 5);
    expect(hits[0]).not.toHaveProperty('vector');
  });

  it('gives each hit what include asks for, and nothing else', async () => {
    const collection = await withThree(await open());
    const [withVector] = await collection.query({ vector: [0, 1, 0], topK: 1, include: ['vector'] });
    expect(withVector).toMatchObject({ id: 'y', metadata: {}, vector: new Float32Array([0, 1, 0]) });
    const [bare] = await collection.query({ vector: [0, 1, 0], topK: 1, include: [] });
    expect(bare!.metadata).toEqual({});
  });

  it.each<[Metric, number, number]>([
    ['cosine', 1 - 0.6, 0.6],
    ['dot', -6, 6],
    ['euclidean', Math.sqrt(25 + 64), 1 / (1 + Math.sqrt(89))],
  ])('scores %s as the contract says', async (metric, distance, score) => {
    const collection = await (await open()).collection('m', { dimensions: 2, metric });
    await collection.insert({ id: 'a', vector: [6, 8] });
    const [hit] = await collection.query({ vector: [1, 0] });
    expect(hit!.distance).toBeCloseTo(distance, 5);
    expect(hit!.score).toBeCloseTo(score, 5);
  });

  it('leaves out hits below minScore', async () => {
    const collection = await withThree(await open());
    const hits = await collection.query({ vector: [1, 0, 0], minScore: 0.5 });
    expect(hits.map(({ id }) => id)).toEqual(['x', 'xy']);
  });

  it('answers many queries in order', async () => {
    const collection = await withThree(await open());
    const answers = await collection.queryMany([
      { vector: [0, 1, 0], topK: 1 },
      { vector: [1, 0, 0], topK: 1, exact: true },
    ]);
    expect(answers.map(([hit]) => hit!.id)).toEqual(['y', 'x']);
    expect(await collection.queryMany([])).toEqual([]);
  });

  it('gives back records exactly as they were stored', async () => {
    const location = newLocation();
    const database = await open(location);
    const collection = await withThree(database);
    const awkward = {
      vector: new Float32Array([0.1, -1e30, 1e-40]),
      metadata: { ' \u{1f600}"\\': '\ud800', '': [] },
    };
    await collection.insert({ id: 'å/\u{1f600}', ...awkward });
    const check = async (held: Collection) => {
      expect(await held.get('å/\u{1f600}')).toEqual({ id: 'å/\u{1f600}', ...awkward });
      expect(await held.get(['xy', 'nobody', 'x'])).toEqual([
        { id: 'xy', vector: new Float32Array([1, 1, 0]), metadata: {} },
        undefined,
        { id: 'x', vector: new Float32Array([1, 0, 0]), metadata: three[0]!.metadata },
      ]);
    };
    await check(collection);
    await database.close();
    await check(await (await open(location)).collection('three'));
  });

  it('makes ids that are unique and ascend when none are given', async () => {
    const collection = await (await open()).collection('made', { dimensions: 1 });
    const { ids } = await collection.insert(Array.from({ length: 100 }, () => ({ vector: [1] })));
    expect(new Set(ids).size).toBe(100);
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await collection.count()).toBe(100);
  });

  it('merges metadata on update, removes fields set to null or undefined, and keeps the rest', async () => {
    const collection = await withThree(await open());
    await collection.update({ id: 'x', metadata: { axis: null, tags: undefined, added: 1 } });
    expect((await collection.get('x'))!.metadata).toEqual({ nested: { deep: [1, null, true] }, added: 1 });
    await collection.update([{ id: 'x', vector: [0, 0, 1] }]);
    expect((await collection.get('x'))!).toMatchObject({
      vector: new Float32Array([0, 0, 1]),
      metadata: { added: 1 },
    });
    expect((await collection.query({ vector: [0, 0, 1], topK: 1 }))[0]!.id).toBe('x');
  });

  it('deletes by id, ignores ids that are not there, and never finds what is gone', async () => {
    const collection = await withThree(await open());
    expect(await collection.delete(['x', 'nobody', 'x'])).toEqual({ deleted: 1 });
    expect(await collection.delete('y')).toEqual({ deleted: 1 });
    expect((await collection.query({ vector: [1, 0, 0] })).map(({ id }) => id)).toEqual(['xy']);
    expect(await collection.count()).toBe(1);
  });

  it('scans in insertion order, each record once, also while it is written to', async () => {
    const collection = await (await open()).collection('scan', { dimensions: 1 });
    await collection.insert(
      Array.from({ length: 10 }, (_, index) => ({ id: `r${index}`, vector: [index + 1] })),
    );
    await collection.update({ id: 'r3', metadata: { changed: 'before' } });
    const seen: string[] = [];
    for await (const record of collection.scan({ batchSize: 2, include: ['metadata'] })) {
      if (seen.length === 0) {
        await collection.update({ id: 'r5', metadata: { changed: 'during' } });
        await collection.delete('r7');
        await collection.insert({ id: 'new', vector: [1] });
        await collection.upsert({ id: 'r8', vector: [2] });
      }
      if (record.id === 'r5') expect(record.metadata).toEqual({ changed: 'during' });
      seen.push(record.id);
    }
    expect(seen).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r8', 'r9']);
  });

  it('goes on scanning right through a compaction', async () => {
    const database = await open();
    const collection = await database.collection('scan', { dimensions: 1 });
    await collection.insert(
      Array.from({ length: 20 }, (_, index) => ({ id: `r${index}`, vector: [index + 1] })),
    );
    await collection.delete(['r0', 'r4', 'r12']);
    const seen: string[] = [];
    for await (const { id, vector } of collection.scan({ batchSize: 3 })) {
      if (seen.length === 4) {
        await collection.delete('r15');
        await database.compact();
      }
      expect(vector[0]).toBe(Number(id.slice(1)) + 1);
      seen.push(id);
    }
    const gone = ['r0', 'r4', 'r12', 'r15'];
    expect(seen).toEqual(
      Array.from({ length: 20 }, (_, index) => `r${index}`).filter((id) => !gone.includes(id)),
    );
  });

  it('stores a batch whole or not at all', async () => {
    const collection = await withThree(await open());
    const batch = [
      { id: 'new', vector: [1, 2, 3] },
      { id: 'x', vector: [1, 2, 3] },
    ];
    await expect(collection.insert(batch)).rejects.toMatchObject({ code: 'DUPLICATE_ID' });
    expect(await collection.count()).toBe(3);
    expect(await collection.get('new')).toBeUndefined();
    expect((await collection.get('x'))!.vector).toEqual(new Float32Array([1, 0, 0]));
  });

  it('sees writes that are still under way when it checks the next ones', async () => {
    const collection = await withThree(await open());
    const results = await Promise.allSettled([
      collection.insert({ id: 'twice', vector: [1, 0, 0] }),
      collection.insert({ id: 'twice', vector: [0, 1, 0] }),
      collection.update({ id: 'twice', metadata: { updated: true } }),
      collection.delete('twice'),
      collection.insert({ id: 'twice', vector: [0, 0, 1] }),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await collection.get('twice')).toEqual({
      id: 'twice',
      vector: new Float32Array([0, 0, 1]),
      metadata: {},
    });
  });

  it('takes what was given at the call, whatever the caller does with its arrays after', async () => {
    const collection = await (await open()).collection('mine', { dimensions: 2 });
    const vector = new Float32Array([1, 2]);
    const inserted = collection.insert({ id: 'a', vector });
    vector.fill(9);
    await inserted;
    const held = (await collection.get('a'))!;
    expect(held.vector).toEqual(new Float32Array([1, 2]));
    held.vector.fill(7);
    expect((await collection.get('a'))!.vector).toEqual(new Float32Array([1, 2]));
  });

  it('tells of each commit, with the collection and an ascending sequence', async () => {
    const database = await open();
    const commits: { sequence: number; collections: string[] }[] = [];
    const stop = database.on('commit', (commit) => commits.push(commit));
    const collection = await withThree(database);
    await collection.delete('x');
    await collection.delete('nobody');
    await expect.poll(() => commits.length).toBe(3);
    expect(commits.map(({ collections }) => collections)).toEqual([['three'], ['three'], ['three']]);
    expect(commits[2]!.sequence).toBeGreaterThan(commits[1]!.sequence);
    stop();
    await collection.delete('y');
    await collection.count();
    expect(commits.length).toBe(3);
  });
}

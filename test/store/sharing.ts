/** Several have one database open, and all of them write: what each of them must see. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Collection, Database } from '../../src/base/api.ts';
import { type NewLocation, type Open, type Store, vectorOf, withThree } from './fixture.ts';
import { Model } from './model.ts';

const DIMENSIONS = 4;
const OPENINGS = 3;

const id = fc.integer({ min: 0, max: 15 }).map((number) => `id${number}`);
const record = fc.record({
  id,
  vector: fc.integer({ min: 1, max: 1000 }).map((seed) => vectorOf(seed, DIMENSIONS)),
  metadata: fc.record({ note: fc.string() }),
});
const step = fc.record({
  who: fc.nat(OPENINGS - 1),
  what: fc.oneof(
    { weight: 6, arbitrary: fc.record({ upsert: fc.array(record, { minLength: 1, maxLength: 6 }) }) },
    { weight: 3, arbitrary: fc.record({ delete: fc.array(id, { maxLength: 6 }) }) },
    { weight: 2, arbitrary: fc.record({ transaction: fc.array(record, { minLength: 1, maxLength: 4 }) }) },
    { weight: 2, arbitrary: fc.constantFrom('checkpoint' as const, 'compact' as const, 'reopen' as const) },
  ),
  looker: fc.nat(OPENINGS - 1),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

export function sharing(open: Open, newLocation: NewLocation, store: Store): void {
  if (!store.sharesWriting) return;

  it('shows each what the other has written, as soon as that is promised', async () => {
    const location = newLocation();
    const first = await open(location);
    const second = await open(location);
    const here = await withThree(first);
    const there = await second.collection('three');
    expect(await there.count()).toBe(3);
    await there.insert({ id: 'theirs', vector: [0, 0, 1] });
    expect((await here.query({ vector: [0, 0, 1], topK: 1 }))[0]!.id).toBe('theirs');
    await expect(here.insert({ id: 'theirs', vector: [0, 0, 1] })).rejects.toMatchObject({
      code: 'DUPLICATE_ID',
    });
    await here.delete('x');
    expect(await there.get('x')).toBeUndefined();
    await second.dropCollection('three');
    await expect(here.count()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await first.collection('new', { dimensions: 1 });
    expect((await second.collections()).map(({ name }) => name)).toEqual(['new']);
  });

  it('shows each the schema that the other has set, and lets a reader set none', async () => {
    const location = newLocation();
    const first = await open(location);
    const here = await withThree(first);
    const there = await (await open(location)).collection('three');
    const schema = { properties: { axis: { type: 'string' } } };
    await there.setSchema(schema);
    await expect(here.insert({ vector: [1, 1, 1], metadata: { axis: 1 } })).rejects.toMatchObject({
      code: 'SCHEMA_VIOLATION',
    });
    expect((await here.info()).config.schema).toEqual(schema);
    const reader = await (await open(location, { readOnly: true })).collection('three');
    expect((await reader.info()).config.schema).toEqual(schema);
    await expect(reader.setSchema(undefined)).rejects.toMatchObject({ code: 'READ_ONLY' });
    expect(await first.verify()).toMatchObject({ ok: true });
    await here.setSchema(undefined);
    await there.insert({ vector: [1, 1, 1], metadata: { axis: 1 } });
    expect((await reader.info()).config).not.toHaveProperty('schema');
  });

  it('follows with a reader that never writes', async () => {
    const location = newLocation();
    const writer = await open(location);
    const written = await withThree(writer);
    const reader = await open(location, { readOnly: true });
    const read = await reader.collection('three');
    await written.insert({ id: 'new', vector: [0, 0, 1] });
    expect(await read.count()).toBe(4);
    await writer.checkpoint();
    await written.delete(['x', 'y']);
    expect((await read.query({ vector: [0, 0, 1] })).map((hit) => hit.id)).toEqual(['new', 'xy']);
    await writer.compact();
    expect(await read.get(['x', 'xy'])).toEqual([undefined, expect.objectContaining({ id: 'xy' })]);
    await expect(read.insert({ vector: [1, 1, 1] })).rejects.toMatchObject({ code: 'READ_ONLY' });
  });

  it('does what one writer would do, whoever writes, checkpoints, compacts and looks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        await live(open, newLocation(), steps);
      }),
      { numRuns: store.propertyRuns, seed: 20_261_121 },
    );
  });

  it('loses no write and no update when all write at once', async () => {
    const location = newLocation();
    const databases = await Promise.all(Array.from({ length: 4 }, () => open(location)));
    await withThree(databases[0]!);
    const work = async (database: Database, who: number) => {
      const collection = await database.collection('three');
      for (let batch = 0; batch < 10; batch++) {
        const records = Array.from({ length: 5 }, (_, index) => ({
          id: `${who}-${batch}-${index}`,
          vector: [who + 1, batch + 1, index + 1],
        }));
        await collection.insert(records);
        await database.transaction(async (tx) => {
          const { metadata } = (await tx.collection('three').get('y'))!;
          await tx
            .collection('three')
            .update({ id: 'y', metadata: { count: ((metadata.count as number | undefined) ?? 0) + 1 } });
        });
      }
    };
    await Promise.all(databases.map(work));
    for (const database of databases) {
      const collection = await database.collection('three');
      expect(await collection.count()).toBe(203);
      expect((await collection.get('y'))!.metadata.count).toBe(40);
    }
  });

  it('cannot be destroyed while another has it open', async () => {
    const location = newLocation();
    const database = await open(location);
    await withThree(database);
    // So long that the writer has let go of its turn.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expect(store.destroy(location, { lockTimeout: 50 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
    });
    expect(await (await database.collection('three')).count()).toBe(3);
  });
}

async function live(open: Open, location: string, steps: Step[]): Promise<void> {
  const model = new Model();
  const databases: Database[] = [];
  const collections: Collection[] = [];
  const openAgain = async (who: number) => {
    databases[who] = await open(location);
    collections[who] = await databases[who].collection('c', { dimensions: DIMENSIONS });
  };
  for (let who = 0; who < OPENINGS; who++) await openAgain(who);
  for (const { who, what, looker } of steps) {
    const [database, collection] = [databases[who]!, collections[who]!];
    if (what === 'reopen') {
      await database.close();
      await openAgain(who);
    } else if (what === 'checkpoint') await database.checkpoint();
    else if (what === 'compact') await database.compact();
    else if ('delete' in what) {
      const deleted = new Set(what.delete.filter((each) => model.records.delete(each))).size;
      expect(await collection.delete(what.delete)).toEqual({ deleted });
    } else {
      const batch = 'upsert' in what ? what.upsert : what.transaction;
      if ('upsert' in what) await collection.upsert(batch);
      else
        await database.transaction(async (tx) => {
          for (const each of batch) await tx.collection('c').upsert(each);
        });
      for (const each of batch) model.put(each);
    }
    await compare(collections[looker]!, model);
  }
  for (const collection of collections) await compare(collection, model);
  for (const database of databases) await database.close();
}

async function compare(collection: Collection, model: Model): Promise<void> {
  const records = [];
  for await (const each of collection.scan({ batchSize: 7 })) records.push(each);
  expect(records).toEqual(model.ids.map((each) => model.get(each)));
  const query = { vector: vectorOf(7, DIMENSIONS), topK: 20, exact: true };
  const distances = (await collection.query(query)).map(({ distance }) => distance!);
  const expected = model.distances(Float32Array.from(query.vector), 'cosine', 20);
  expect(distances.length).toBe(expected.length);
  for (const [rank, distance] of distances.entries()) expect(distance).toBeCloseTo(expected[rank]!, 3);
}

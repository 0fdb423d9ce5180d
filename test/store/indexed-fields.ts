import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Collection, Fields, Filter, Metadata } from '../../src/base/api.ts';
import { documentOfLists, filterOf, key, plainDocument, value } from '../filter/arbitraries.ts';
import { type NewLocation, type Open, type Store, vectorOf } from './fixture.ts';

const DIMENSIONS = 2;
const FIELDS: Fields = { a: 'keyword', b: 'number', c: 'date', 'a.b': 'boolean' };

const record = (id: number, metadata: Metadata) => ({
  id: `r${id}`,
  vector: vectorOf(id + 1, DIMENSIONS),
  metadata,
});

async function idsOf(collection: Collection, filter: Filter): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of collection.scan({ filter, include: [] })) ids.push(id);
  return ids.sort();
}

/** Payload indexes by the public contract, whoever stores the records. */
export function indexedFields(open: Open, newLocation: NewLocation, { propertyRuns }: Store): void {
  it('answers filters the same with fields indexed and without, whatever is done between', async () => {
    const document = fc.oneof(plainDocument, documentOfLists);
    const filters = fc.array(
      fc.oneof(filterOf(key, value, true), filterOf(fc.constantFrom('a.b', 'a', 'd'), value, true)),
      { minLength: 3, maxLength: 6 },
    );
    const batch = fc.array(fc.tuple(fc.nat(199), document), { minLength: 70, maxLength: 200 });
    const step = fc.constantFrom('checkpoint', 'reopen', 'compact', 'setFields', 'delete', 'none');
    const steps = fc.array(fc.tuple(batch, step), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(steps, filters, async (life, given) => {
      const location = newLocation();
      let database = await open(location);
      const config = { dimensions: DIMENSIONS };
      let indexed = await database.collection('indexed', { ...config, fields: FIELDS });
      let plain = await database.collection('plain', config);
      for (const [at, [records, next]] of life.entries()) {
        for (const each of [indexed, plain]) {
          const byId = new Map(records.map(([id, metadata]) => [id, record(id, metadata)]));
          await each.upsert([...byId.values()]);
          if (next === 'delete') await each.delete(records.slice(0, 20).map(([id]) => `r${id}`));
        }
        if (next === 'checkpoint') await database.checkpoint();
        if (next === 'compact') await database.compact();
        if (next === 'setFields') await indexed.setFields(at % 2 ? FIELDS : { b: 'number', d: 'keyword' });
        if (next === 'reopen') {
          await database.close();
          database = await open(location);
          indexed = await database.collection('indexed');
          plain = await database.collection('plain');
        }
        for (const each of given as Filter[]) {
          const expected = await idsOf(plain, each);
          expect({ each, count: await indexed.count(each) }).toEqual({ each, count: expected.length });
          const hits = await indexed.query({ vector: [1, 1], topK: 200, filter: each });
          expect({ each, ids: hits.map(({ id }) => id).sort() }).toEqual({ each, ids: expected });
        }
      }
      await database.close();
    });
    await fc.assert(property, { numRuns: Math.ceil(propertyRuns / 2), seed: 1 });
  }, 120_000);

  it('keeps the fields that are indexed in the config, which must not contradict them', async () => {
    const location = newLocation();
    const database = await open(location);
    const fields: Fields = { year: 'number', tags: 'keyword' };
    const collection = await database.collection('c', { dimensions: DIMENSIONS, fields });
    expect((await collection.info()).config.fields).toEqual(fields);
    await database.collection('c', { dimensions: DIMENSIONS, fields: { tags: 'keyword', year: 'number' } });
    for (const other of [{}, { year: 'number' }, { ...fields, year: 'date' }] as Fields[])
      await expect(database.collection('c', { dimensions: DIMENSIONS, fields: other })).rejects.toMatchObject(
        {
          code: 'CONFIG_MISMATCH',
          details: { mismatches: [{ field: 'fields' }] },
        },
      );
    await collection.insert(
      Array.from({ length: 100 }, (_, id) => record(id, { year: 1900 + id, on: id % 2 === 0 })),
    );
    await collection.setFields({ on: 'boolean' });
    expect((await collection.info()).config.fields).toEqual({ on: 'boolean' });
    expect(await collection.count({ on: true, year: { $lt: 1910 } })).toBe(5);
    await database.close();
    const again = await open(location);
    const reopened = await again.collection('c', { dimensions: DIMENSIONS, fields: { on: 'boolean' } });
    expect(await reopened.count({ on: false, year: { $gte: 1990 } })).toBe(5);
    await reopened.setFields({});
    expect((await reopened.info()).config.fields).toBeUndefined();
    expect(await reopened.count({ on: false })).toBe(50);
  });

  it('refuses fields that are none', async () => {
    const collection = await (await open()).collection('c', { dimensions: DIMENSIONS });
    for (const bad of [
      null,
      'year',
      ['year'],
      { year: 'int' },
      { year: undefined },
      { year: () => 1 },
      { $year: 'number' },
    ])
      await expect(collection.setFields(bad as never)).rejects.toMatchObject({ name: 'IsovecError' });
    expect((await collection.info()).config.fields).toBeUndefined();
  });
}

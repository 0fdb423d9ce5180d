import { expect, it } from 'vitest';
import type { CollectionConfig, Database } from '../../src/base/api.ts';
import type { NewLocation, Open } from './fixture.ts';

const schema = {
  type: 'object',
  properties: { page: { type: 'integer', minimum: 1 }, title: { type: 'string' } },
  required: ['page'],
};
const config: CollectionConfig = { dimensions: 2, schema, maxMagnitude: 10 };

/** Record `index`, on page `page`. */
function record(index: number, page: unknown = index + 1) {
  return { id: `r${index}`, vector: [1, index % 5], metadata: { page } };
}

async function collectionIn(database: Database) {
  return database.collection<Record<string, unknown>>('c', config);
}

/** Metadata and vectors that a collection has been told to refuse, whoever stores them. */
export function validating(open: Open, newLocation: NewLocation): void {
  it('refuses a batch whole, telling what is wrong with which of its records', async () => {
    const database = await open();
    const collection = await collectionIn(database);
    await collection.insert([record(0), record(1)]);
    const batch = [record(2), record(3, 0), record(4), { ...record(5), metadata: { page: 1.5, title: 7 } }];
    for (const write of ['insert', 'upsert'] as const)
      await expect(collection[write](batch)).rejects.toMatchObject({
        code: 'SCHEMA_VIOLATION',
        message: expect.stringContaining('records[1].metadata/page'),
        details: {
          violationCount: 3,
          violations: [
            { index: 1, id: 'r3', path: '/page', keyword: 'minimum', message: expect.any(String) },
            { index: 3, id: 'r5', path: '/page', keyword: 'type', message: expect.any(String) },
            { index: 3, id: 'r5', path: '/title', keyword: 'type', message: expect.any(String) },
          ],
        },
      });
    await expect(collection.insert({ id: 'bare', vector: [1, 1] })).rejects.toMatchObject({
      code: 'SCHEMA_VIOLATION',
      details: { violations: [{ index: 0, id: 'bare', path: '', keyword: 'required' }] },
    });
    expect(await collection.count()).toBe(2);
  });

  it('holds what an update makes of the metadata against the schema', async () => {
    const database = await open();
    const collection = await collectionIn(database);
    await collection.insert([record(0), record(1)]);
    await collection.update({ id: 'r0', metadata: { title: 'zero' } });
    await collection.update({ id: 'r0', vector: [1, 1] });
    const changes = [
      { id: 'r1', metadata: { page: 2 } },
      { id: 'r0', metadata: { page: null } },
    ];
    await expect(collection.update(changes)).rejects.toMatchObject({
      code: 'SCHEMA_VIOLATION',
      message: expect.stringContaining('changes[1].metadata'),
      details: { violations: [{ index: 1, id: 'r0', path: '', keyword: 'required' }] },
    });
    expect((await collection.get('r0'))!.metadata).toEqual({ page: 1, title: 'zero' });
  });

  it('refuses within a transaction, which may go on without', async () => {
    const database = await open();
    const collection = await collectionIn(database);
    await database.transaction(async (tx) => {
      const within = tx.collection<Record<string, unknown>>('c');
      await within.insert(record(0));
      await expect(within.insert([record(1), record(2, 'two')])).rejects.toMatchObject({
        code: 'SCHEMA_VIOLATION',
      });
      await expect(within.update({ id: 'r0', metadata: { page: 0 } })).rejects.toMatchObject({
        code: 'SCHEMA_VIOLATION',
      });
    });
    expect(await collection.count()).toBe(1);
  });

  it('keeps the schema, and takes the same one in another order for the same', async () => {
    const location = newLocation();
    const database = await open(location);
    await collectionIn(database);
    await database.close();
    const again = await open(location);
    const { required, properties, type } = schema;
    const collection = await again.collection('c', { ...config, schema: { required, type, properties } });
    expect((await collection.info()).config.schema).toEqual(schema);
    await expect(collection.insert(record(0, 0))).rejects.toMatchObject({ code: 'SCHEMA_VIOLATION' });
    await again.collection('c', { dimensions: 2 });
    const other = { ...config, schema: { ...schema, required: [] } };
    await expect(again.collection('c', other)).rejects.toMatchObject({
      code: 'CONFIG_MISMATCH',
      details: { mismatches: [{ field: 'schema' }] },
    });
    await again.collection('none', { dimensions: 2 });
    await expect(again.collection('none', config)).rejects.toMatchObject({ code: 'CONFIG_MISMATCH' });
  });

  it('makes no collection with a schema that is none', async () => {
    const database = await open();
    const bad = { dimensions: 2, schema: { properties: { page: { type: 'page' } } } };
    await expect(database.collection('c', bad)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path: 'config.schema.properties.page.type' },
    });
    expect(await database.collections()).toEqual([]);
  });

  it('changes the schema of what satisfies it, and of nothing else', async () => {
    const location = newLocation();
    const database = await open(location);
    const collection = await collectionIn(database);
    await collection.insert(Array.from({ length: 600 }, (_, index) => record(index)));
    await database.checkpoint();
    const stricter = { ...schema, properties: { page: { maximum: 500 } } };
    await expect(collection.setSchema(stricter)).rejects.toMatchObject({
      code: 'SCHEMA_VIOLATION',
      details: { ids: Array.from({ length: 100 }, (_, index) => `r${index + 500}`), recordCount: 100 },
    });
    expect((await collection.info()).config.schema).toEqual(schema);
    await collection.delete({ filter: { page: { $gt: 500 } } });
    await collection.setSchema(stricter);
    await expect(collection.insert(record(600))).rejects.toMatchObject({ code: 'SCHEMA_VIOLATION' });
    await database.close();
    const again = await open(location);
    const reopened = await again.collection('c');
    expect((await reopened.info()).config.schema).toEqual(stricter);
    await expect(reopened.insert(record(600))).rejects.toMatchObject({ code: 'SCHEMA_VIOLATION' });
    await reopened.setSchema(undefined);
    await reopened.insert(record(600));
    expect((await reopened.info()).config).not.toHaveProperty('schema');
    await expect(reopened.setSchema({ type: 'page' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path: 'schema.type' },
    });
  });

  it('changes the schema beside writes: what is stored satisfies it, whoever came first', async () => {
    const database = await open();
    const collection = await database.collection<Record<string, unknown>>('c', { dimensions: 2 });
    await collection.insert(Array.from({ length: 400 }, (_, index) => record(index)));
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 10 }, (_, index) => collection.insert(record(1000 + index))),
      collection.setSchema(schema),
      ...Array.from({ length: 30 }, (_, index) =>
        collection.insert(record(2000 + index, index % 10 ? 1 : 'x')),
      ),
    ]);
    const isSet = outcomes[10]!.status === 'fulfilled';
    const stored = (await collection.info()).config.schema;
    expect(stored).toEqual(isSet ? schema : undefined);
    if (isSet) expect(await collection.count({ page: 'x' })).toBe(0);
    else expect(outcomes[10]).toMatchObject({ reason: { code: 'SCHEMA_VIOLATION' } });
  });

  it('refuses vectors that are longer than maxMagnitude, wherever they are written', async () => {
    const database = await open();
    const collection = await collectionIn(database);
    await collection.insert({ ...record(0), vector: [6, 8] });
    const long = { ...record(1), vector: [6, 8.01] };
    const refusal = (path: string) => ({
      code: 'INVALID_VECTOR',
      details: { path, magnitude: expect.closeTo(10.008, 3), maxMagnitude: 10 },
    });
    await expect(collection.insert([record(2), long])).rejects.toMatchObject(refusal('records[1].vector'));
    await expect(collection.upsert(long)).rejects.toMatchObject(refusal('records.vector'));
    const change = { id: 'r0', vector: new Float32Array(long.vector) };
    await expect(collection.update(change)).rejects.toMatchObject(refusal('changes.vector'));
    const within = database.transaction((tx) => tx.collection('c').insert(long));
    await expect(within).rejects.toMatchObject(refusal('records.vector'));
    expect(await collection.count()).toBe(1);
    expect(await collection.query({ vector: [60, 80] })).toHaveLength(1);
  });
}

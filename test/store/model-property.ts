import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type {
  Collection,
  CollectionConfig,
  Database,
  Filter,
  Metadata,
  Quantization,
  TransactionCollection,
} from '../../src/base/api.ts';
import { type NewLocation, type Open, type Store, vectorOf } from './fixture.ts';
import { type Metric, Model } from './model.ts';

const DIMENSIONS = 8;

/** Few ids, so that operations meet. */
const id = fc.integer({ min: 0, max: 30 }).map((number) => `id${number}`);
const vector = fc.integer({ min: 1, max: 1000 }).map((seed) => vectorOf(seed, DIMENSIONS));
const metadata: fc.Arbitrary<Metadata> = fc.dictionary(
  fc.constantFrom('a', 'b', 'ünïcode', '__proto__', 'nested'),
  fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.jsonValue({ maxDepth: 2 })),
  { noNullPrototype: true, maxKeys: 3 },
);
const record = fc.record({ id, vector, metadata });
/** Of those that mingo understands as MongoDB does, on any metadata. */
const filter: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ a: fc.record({ $exists: fc.boolean() }) }),
  fc.record({ a: fc.record({ $gt: fc.constantFrom(0, 'm', -1000) }) }),
  fc.record({ b: fc.constantFrom(true, false, 0, '', null) }),
  fc.record({ b: fc.record({ $ne: fc.boolean() }) }),
  fc.record({ $nor: fc.constant<Filter[]>([{ a: { $exists: true } }, { nested: { $lte: 10 } }]) }),
  fc.record({ $or: fc.constant<Filter[]>([{ ünïcode: { $gte: '' } }, { b: { $in: [true, null] } }]) }),
);
const batch = fc.array(record, { minLength: 1, maxLength: 12 });

const write = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('upsert' as const), batch }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), batch }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      change: fc.record({ id, vector, metadata }, { requiredKeys: ['id'] }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), ids: fc.array(id, { maxLength: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), filter }) },
);
type Write = typeof write extends fc.Arbitrary<infer W> ? W : never;

const operation = fc.oneof(
  { weight: 16, arbitrary: write },
  {
    weight: 3,
    arbitrary: fc.record({ writes: fc.array(write, { maxLength: 5 }), isRolledBack: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('query' as const),
      vector,
      topK: fc.integer({ min: 1, max: 40 }),
      filter: fc.option(filter, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('reopen', 'checkpoint', 'compact') }) },
);
const requantization = fc.record({ quantization: fc.constantFrom<Quantization>('none', 'int8') });
type Arbitrated<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Operation = Arbitrated<typeof operation> | Arbitrated<typeof requantization>;

const METRICS: Metric[] = ['cosine', 'dot', 'euclidean'];
const PLAIN = METRICS.map((metric) => [metric, 'none'] as const);
const QUANTISED = METRICS.map((metric) => [metric, 'int8'] as const);

/** A random life of a store against a Map and brute force. */
export function againstModel(
  open: Open,
  newLocation: NewLocation,
  { propertyRuns, hasNoQuantization }: Store,
): void {
  it.each<readonly [Metric, Quantization]>(hasNoQuantization ? PLAIN : [...PLAIN, ...QUANTISED])(
    'does what a Map with brute-force search does, whatever happens in whatever order (%s, quantization %s)',
    async (metric, quantization) => {
      const step: fc.Arbitrary<Operation> = hasNoQuantization
        ? operation
        : fc.oneof({ weight: 26, arbitrary: operation }, { weight: 1, arbitrary: requantization });
      const operations = fc.array(step, { minLength: 1, maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(operations, async (life) => {
          await live(open, newLocation(), { dimensions: DIMENSIONS, metric, quantization }, life);
        }),
        { numRuns: propertyRuns, seed: 20_261_121 },
      );
    },
  );
}

async function live(
  open: Open,
  location: string,
  config: CollectionConfig & { metric: Metric },
  life: Operation[],
): Promise<void> {
  const { metric } = config;
  const model = new Model();
  let database = await open(location);
  let collection = await database.collection('c', config);
  for (const step of life) {
    if ('kind' in step && step.kind === 'reopen') {
      await database.close();
      database = await open(location);
      collection = await database.collection('c');
    } else await take(step, database, collection, model, metric);
  }
  await compare(collection, model, metric);
  await database.close();
  database = await open(location);
  await compare(await database.collection('c'), model, metric);
  await database.close();
}

async function take(
  step: Operation,
  database: Database,
  collection: Collection,
  model: Model,
  metric: Metric,
): Promise<void> {
  if ('quantization' in step) await collection.setQuantization(step.quantization);
  else if ('writes' in step) await transact(step, database, model);
  else if ('vector' in step) await compareQuery(collection, model, metric, step);
  else if (step.kind === 'checkpoint') await database.checkpoint();
  else if (step.kind === 'compact') await database.compact();
  else await perform(step as Write, collection, model);
}

class RolledBack extends Error {}

async function transact(
  { writes, isRolledBack }: { writes: Write[]; isRolledBack: boolean },
  database: Database,
  model: Model,
): Promise<void> {
  const inside = model.copy();
  const done = database.transaction(async (tx) => {
    const collection = tx.collection('c');
    for (const step of writes) await perform(step, collection, inside);
    const ids = ['id0', 'id1', 'id2', 'id3'];
    expect(await collection.get(ids)).toEqual(ids.map((each) => inside.get(each)));
    if (isRolledBack) throw new RolledBack();
  });
  if (isRolledBack) return void (await expect(done).rejects.toThrow(RolledBack));
  await done;
  model.become(inside);
}

async function perform(step: Write, collection: TransactionCollection, model: Model): Promise<void> {
  if ('batch' in step) {
    const ids = step.batch.map((entry) => entry.id);
    const isRefused =
      step.kind === 'insert' &&
      (new Set(ids).size < ids.length || ids.some((each) => model.records.has(each)));
    const done = collection[step.kind](step.batch);
    if (isRefused) return void (await expect(done).rejects.toMatchObject({ code: 'DUPLICATE_ID' }));
    expect(await done).toEqual({ ids });
    for (const entry of step.batch) model.put(entry);
  } else if ('change' in step) {
    const isThere = model.records.has(step.change.id);
    const done = collection.update(step.change);
    if (!isThere) return void (await expect(done).rejects.toMatchObject({ code: 'NOT_FOUND' }));
    await done;
    model.update(step.change);
  } else if ('filter' in step) {
    const ids = model.matching(step.filter);
    expect(await collection.delete({ filter: step.filter })).toEqual({ deleted: ids.length });
    for (const each of ids) model.records.delete(each);
  } else {
    const deleted = new Set(step.ids.filter((each) => model.records.delete(each))).size;
    expect(await collection.delete(step.ids)).toEqual({ deleted });
  }
}

async function compare(collection: Collection, model: Model, metric: Metric): Promise<void> {
  const records = [];
  for await (const each of collection.scan({ batchSize: 7 })) records.push(each);
  expect(records).toEqual(model.ids.map((each) => model.get(each)));
  expect(await collection.count()).toBe(model.records.size);
  await compareQuery(collection, model, metric, { vector: vectorOf(7, DIMENSIONS), topK: 40 });
}

async function compareQuery(
  collection: Collection,
  model: Model,
  metric: Metric,
  { vector: query, topK, filter }: { vector: number[]; topK: number; filter?: Filter | undefined },
): Promise<void> {
  if (filter) await compareFiltered(collection, model, filter);
  const expected = model.distances(Float32Array.from(query), metric, topK, filter);
  const asked = { vector: query, topK, ...(filter && { filter }) };
  const exact = await collection.query({ ...asked, exact: true, include: ['metadata', 'vector'] });
  expect(exact.length).toBe(expected.length);
  for (const [rank, hit] of exact.entries()) {
    expect(hit.distance).toBeCloseTo(expected[rank]!, 3);
    expect({ metadata: hit.metadata, vector: hit.vector }).toEqual({
      metadata: model.get(hit.id)!.metadata,
      vector: model.get(hit.id)!.vector,
    });
  }
  // So few records that the graph, searched with room to spare, finds them all.
  const found = await collection.query({ ...asked, ef: 200 });
  expect(found.map(({ distance }) => distance)).toEqual(exact.map(({ distance }) => distance));
}

async function compareFiltered(collection: Collection, model: Model, filter: Filter): Promise<void> {
  const ids = model.matching(filter);
  expect(await collection.count(filter)).toBe(ids.length);
  const found = [];
  for await (const each of collection.scan({ filter, batchSize: 3 })) found.push(each);
  expect(found).toEqual(ids.map((id) => model.get(id)));
}

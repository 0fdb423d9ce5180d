import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Collection, Database, Hit } from '../../../src/base/api.ts';
import { type NewLocation, type Open, vectorOf } from '../fixture.ts';
import { type ModelRecord, scoresOf } from './text-model.ts';

const DIMENSIONS = 4;

/** Some begin as others do, and some are written without spaces where they are used. */
const word = fc.constantFrom('alpha', 'alphabet', 'beta', 'bet', 'gamma', 'ünïcode', 'straße', '東京', '42');
const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
const id = fc.integer({ min: 0, max: 20 }).map((number) => `id${number}`);
const vector = fc.integer({ min: 1, max: 1000 }).map((seed) => vectorOf(seed, DIMENSIONS));
const metadata = fc.record({ even: fc.boolean() });
const record = fc.record({ id, vector, metadata, text }, { requiredKeys: ['id', 'vector', 'metadata'] });
const change = fc.record({ id, vector, metadata, text }, { requiredKeys: ['id'] });

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ upsert: fc.array(record, { minLength: 1, maxLength: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ update: change }) },
  { weight: 3, arbitrary: fc.record({ delete: fc.array(id, { maxLength: 5 }) }) },
  { weight: 5, arbitrary: fc.record({ query: text, even: fc.option(fc.boolean(), { nil: undefined }) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'checkpoint' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('reopen', 'compact', 'damage') }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

export interface TextWorld {
  open: Open;
  newLocation: NewLocation;
  runs: number;
  /** Spoils files of text indexes of a database that is closed. */
  damage?: (location: string) => void;
}

/** A random life of a collection with texts, against BM25 by its formula over a Map. */
export async function livesLikeModel(world: TextWorld): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => live(world, steps)),
    { numRuns: world.runs, seed: 20_261_121 },
  );
}

async function live({ open, newLocation, damage }: TextWorld, steps: Step[]): Promise<void> {
  const location = newLocation();
  const records = new Map<string, ModelRecord>();
  let database = await open(location);
  let collection = await database.collection('c', { dimensions: DIMENSIONS, text: { language: 'none' } });
  for (const each of steps)
    if ('kind' in each && (each.kind === 'reopen' || each.kind === 'damage')) {
      await database.close();
      if (each.kind === 'damage') damage?.(location);
      database = await open(location);
      collection = await database.collection('c');
    } else await take(each, database, collection, records);
  await compare(collection, records, 'alpha 東京 straße');
  await database.close();
}

async function take(
  each: Step,
  database: Database,
  collection: Collection,
  records: Map<string, ModelRecord>,
): Promise<void> {
  if ('upsert' in each) {
    await collection.upsert(each.upsert);
    for (const { id: key, ...rest } of each.upsert) records.set(key, rest);
  } else if ('update' in each) {
    const { id: key, ...rest } = each.update;
    const before = records.get(key);
    if (!before) return void (await expect(collection.update(each.update)).rejects.toThrow());
    await collection.update(each.update);
    records.set(key, { ...before, ...rest });
  } else if ('delete' in each) {
    await collection.delete(each.delete);
    for (const key of each.delete) records.delete(key);
  } else if ('query' in each) await compare(collection, records, each.query, each.even);
  else if (each.kind === 'compact') await database.compact();
  else await database.checkpoint();
}

async function compare(
  collection: Collection,
  records: ReadonlyMap<string, ModelRecord>,
  query: string,
  even?: boolean,
): Promise<void> {
  const filter = even === undefined ? {} : { filter: { even } };
  const isWanted = (key: string) => even === undefined || records.get(key)!.metadata.even === even;
  const expected = [...scoresOf(records, query)].filter(([key]) => isWanted(key));
  const hits = await collection.query({ text: query, topK: 100, include: ['text'], ...filter });
  expect(new Set(hits.map((hit) => hit.id))).toEqual(new Set(expected.map(([key]) => key)));
  for (const { id: key, score, text: found } of hits) {
    expect(score).toBeCloseTo(new Map(expected).get(key)!, 9);
    expect(found).toBe(records.get(key)!.text);
  }
  expectInOrder(hits);
  const [first] = await collection.query({ text: query, topK: 1, ...filter });
  expect(first?.score).toBe(hits[0]?.score);
}

export function expectInOrder(hits: readonly Hit[]): void {
  for (const [at, { score }] of hits.entries())
    expect(score).toBeLessThanOrEqual(hits[at - 1]?.score ?? Number.POSITIVE_INFINITY);
}

/** What is in a database after a kill, as plain data. Runs wherever isovec does. */
import type { Database } from '../../src/base/api.ts';
import { COLLECTIONS, randomOf } from './workload.ts';

export interface FoundRecord {
  id: string;
  vector: number[];
  metadata: Record<string, unknown>;
}

export interface FoundQuery {
  vector: number[];
  exact: boolean;
  hits: { id: string; distance: number }[];
}

export interface Found {
  name: string;
  count: number;
  records: FoundRecord[];
  queries: FoundQuery[];
}

const QUERIES = 2;
export const TOP_K = 10;

/** @param prefix of the names of the collections to look at; they are named without it */
export async function findAll(database: Database, seed: number, prefix: string): Promise<Found[]> {
  const infos = await database.collections();
  const names = infos.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  return Promise.all(names.map((name) => findCollection(database, name.slice(prefix.length), seed, prefix)));
}

async function findCollection(
  database: Database,
  name: string,
  seed: number,
  prefix: string,
): Promise<Found> {
  const collection = await database.collection(prefix + name);
  const records: FoundRecord[] = [];
  for await (const { id, vector, metadata } of collection.scan({ include: ['vector', 'metadata'] }))
    records.push({ id, vector: Array.from(vector), metadata });
  const queries: FoundQuery[] = [];
  for (let query = 0; query < QUERIES; query++) {
    const random = randomOf(seed, query);
    const vector = Array.from({ length: COLLECTIONS[name]!.dimensions }, () => random() - 0.5);
    for (const exact of [true, false]) {
      const hits = await collection.query({ vector, topK: TOP_K, exact });
      queries.push({ vector, exact, hits: hits.map(({ id, distance }) => ({ id, distance: distance! })) });
    }
  }
  return { name, count: await collection.count(), records, queries };
}

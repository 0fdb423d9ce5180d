/** What a database should hold: the plain model of a random life, one state for each write. */
import type { Collection, CollectionConfig, Database, Metadata } from '../../src/base/api.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { distance, type Metric } from '../store/model.ts';

export interface WorldRecord {
  vector: Float32Array;
  metadata: Metadata;
}

export interface WorldCollection {
  config: CollectionConfig & { metric: Metric };
  /** In insertion order. */
  records: ReadonlyMap<string, WorldRecord>;
}

/** All collections at one moment. Never changed: each write makes a new one. */
export class World {
  readonly collections: ReadonlyMap<string, WorldCollection>;
  #digest: string | undefined;

  constructor(collections: ReadonlyMap<string, WorldCollection> = new Map()) {
    this.collections = collections;
  }

  get contents(): Content[] {
    return [...this.collections].map(([name, { records }]) => ({
      name,
      records: [...records].map(([id, record]) => ({ id, ...record })),
    }));
  }

  /** Equal for equal content. */
  get digest(): string {
    this.#digest ??= digestOf(this.contents);
    return this.#digest;
  }

  with(name: string, collection: WorldCollection): World {
    return new World(new Map(this.collections).set(name, collection));
  }

  without(name: string): World {
    const collections = new Map(this.collections);
    collections.delete(name);
    return new World(collections);
  }

  change(name: string, edit: (records: Map<string, WorldRecord>) => void): World {
    const { config, records } = this.collections.get(name)!;
    const changed = new Map(records);
    edit(changed);
    return this.with(name, { config, records: changed });
  }
}

/** One collection, its records in insertion order. */
export interface Content {
  name: string;
  records: { id: string; vector: Float32Array; metadata: Metadata }[];
}

function digestOf(contents: readonly Content[]): string {
  const sorted = [...contents].sort((a, b) => (a.name < b.name ? -1 : 1));
  return JSON.stringify(
    sorted.map(({ name, records }) => [
      name,
      records.map(({ id, vector, metadata }) => [id, Array.from(vector), metadata]),
    ]),
  );
}

/** What a database answers when asked for everything. */
export async function contentsOf(database: Database): Promise<Content[]> {
  const contents: Content[] = [];
  for (const { name } of await database.collections()) {
    const records: Content['records'] = [];
    for await (const record of (await database.collection(name)).scan()) records.push(record);
    contents.push({ name, records });
  }
  return contents;
}

/** The digest of it. */
export async function digestOfDatabase(database: Database): Promise<string> {
  return digestOf(await contentsOf(database));
}

/** Counts, single records and queries, exact and by the graph, against brute force. @throws Error naming what differs */
export async function checkAnswers(
  database: Database,
  world: World,
  query: (dimensions: number) => number[],
): Promise<void> {
  const infos = await database.collections();
  for (const [name, { config, records }] of world.collections) {
    const info = infos.find((each) => each.name === name);
    if (info?.count !== records.size)
      throw new Error(`"${name}" counts ${info?.count} records, not ${records.size}`);
    if (info.config.metric !== config.metric) throw new Error(`"${name}" has metric ${info.config.metric}`);
    const collection = await database.collection(name);
    await checkQuery(collection, records, config.metric, query(config.dimensions));
    await checkCount(collection, records);
    for (const id of [...records.keys()].slice(0, 2).concat('nobody')) {
      const found = await collection.get(id);
      if ((found !== undefined) !== records.has(id))
        throw new Error(`"${name}" has ${found?.id} where ${id} was asked for`);
    }
  }
}

const FILTER = { $or: [{ number: { $lt: 20 } }, { generation: 2 }, { changed: { $gte: 500 } }] };
const { matches } = compileFilter(FILTER, 'filter');

async function checkCount(collection: Collection, records: ReadonlyMap<string, WorldRecord>): Promise<void> {
  const count = await collection.count(FILTER);
  const wanted = [...records.values()].filter(({ metadata }) => matches(metadata)).length;
  if (count !== wanted) throw new Error(`"${collection.name}" counts ${count} matches, not ${wanted}`);
}

/** More than any small world holds: the graph must find them all. */
const ALL = 1000;
/** Distances are computed in float32 by the kernel. */
const TOLERANCE = 1e-3;

async function checkQuery(
  collection: Collection,
  records: ReadonlyMap<string, WorldRecord>,
  metric: Metric,
  query: number[],
): Promise<void> {
  const vector = Float32Array.from(query);
  const expected = new Map([...records].map(([id, record]) => [id, distance(vector, record.vector, metric)]));
  const sorted = [...expected.values()].sort((a, b) => a - b);
  for (const exact of [true, false]) {
    const hits = await collection.query({ vector, topK: ALL, ef: ALL, exact });
    const how = `a query of "${collection.name}" (exact: ${exact})`;
    if (hits.length !== sorted.length)
      throw new Error(`${how} finds ${hits.length} records of ${sorted.length}`);
    for (const [rank, { id, distance: got }] of hits.entries()) {
      const wanted = expected.get(id);
      const isRight = (value: number | undefined) =>
        value !== undefined && Math.abs(got! - value) <= TOLERANCE * Math.max(1, Math.abs(value));
      if (!isRight(wanted) || !isRight(sorted[rank]))
        throw new Error(`${how} ranks ${id} ${rank} at ${got}; its distance is ${wanted}`);
    }
  }
}

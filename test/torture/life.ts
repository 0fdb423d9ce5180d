/**
 * A seeded random life of a database on a simulated disk: several collections, batches of every kind, some of them at
 * once, checkpoints, compactions, reopenings and kills. What has been promised when is noted beside the disk's record.
 */
import type {
  Collection,
  CollectionConfig,
  Database,
  Fields,
  Quantization,
  RecordInput,
  TransactionCollection,
} from '../../src/base/api.ts';
import { openLocal } from '../../src/store/open.ts';
import { random } from '../search/random.ts';
import { vectorOf } from '../store/fixture.ts';
import type { Metric } from '../store/model.ts';
import { SimulatedBackend, SimulatedDisk } from './simulated-disk.ts';
import { SimulatedPlatform } from './simulated-platform.ts';
import { digestOfDatabase, World } from './world.ts';

const FOREVER_MS = 2 ** 31 - 1;
const COLLECTION_NAMES = ['first', 'second', 'third'];
const METRICS: Metric[] = ['cosine', 'dot', 'euclidean'];
const QUANTIZATIONS: Quantization[] = ['none', 'int8'];
const FIELDS: Fields[] = [{}, { number: 'number' }, { number: 'keyword', changed: 'number' }];
/** So few that batches meet: most upserts replace something. */
const IDS = 16;
const BATCH_RECORDS_MAX = 5;
/** Now and then a record over several sectors and pages. */
const LARGE_TEXT_SHARE = 0.06;
const LARGE_TEXT_BYTES_MAX = 9000;
/** Microtasks that a change to the disk takes at most. */
const TURNS_MAX = 4;
/** Never within a test: flushes are called for. */
const SYNC_INTERVAL_MS = 86_400_000;

/** When the record of the disk was `at` events long, the first `writes` writes had come so far. */
interface Mark {
  at: number;
  writes: number;
}

/** What one process did, from its opening to its end. */
interface Session {
  /** Length of the disk's record when it began. */
  from: number;
  /** By number of writes, from the very beginning of the life. */
  worlds: World[];
  issued: Mark[];
  /** Promised to survive a power loss. */
  durable: Mark[];
  /** Promised to survive the end of the process. */
  acknowledged: Mark[];
}

export interface Life {
  seed: number;
  durability: 'strict' | 'relaxed';
  disk: SimulatedDisk;
  sessions: Session[];
  /** What was under way at each index of the record. */
  operationAt(index: number): string;
}

/** The worlds that may be found after a crash at an index. */
export function possibleWorlds(life: Life, index: number, isProcessOnly: boolean): World[] {
  const session = life.sessions.findLast(({ from }) => from < index) ?? life.sessions[0]!;
  const latest = (marks: Mark[]) => marks.findLast(({ at }) => at <= index)?.writes ?? 0;
  const promised = isProcessOnly ? latest(session.acknowledged) : latest(session.durable);
  return session.worlds.slice(promised, latest(session.issued) + 1);
}

export async function live(seed: number, steps: number): Promise<Life> {
  const liver = new Liver(seed);
  await liver.open();
  for (let step = 0; step < steps; step++) await liver.step();
  await liver.close();
  return liver.life;
}

interface Batch {
  kind: string;
  name: string;
  /** After it. */
  world: World;
  run: (collection: TransactionCollection) => Promise<unknown>;
}

function withRecords(before: World, name: string, batch: (RecordInput & { id: string })[]): World {
  return before.change(name, (edited) => {
    for (const { id, vector, metadata } of batch)
      edited.set(id, { vector: Float32Array.from(vector), metadata: metadata ?? {} });
  });
}

class Liver {
  readonly #random: () => number;
  readonly #disk: SimulatedDisk;
  readonly #durability: 'strict' | 'relaxed';
  readonly #sessions: Session[] = [];
  readonly #operations: { from: number; name: string }[] = [];
  readonly #seed: number;
  #session!: Session;
  #backend!: SimulatedBackend;
  #platform!: SimulatedPlatform;
  #database!: Database;
  readonly #collections = new Map<string, Collection>();
  #running: Promise<void>[] = [];
  #nextVector: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#disk = new SimulatedDisk(new Map(), seed % 2 === 1);
    this.#random = random(seed);
    this.#durability = this.#chance(0.5) ? 'strict' : 'relaxed';
    this.#nextVector = this.#below(10_000);
  }

  get life(): Life {
    const operations = this.#operations;
    return {
      seed: this.#seed,
      durability: this.#durability,
      disk: this.#disk,
      sessions: this.#sessions,
      operationAt: (index) => operations.findLast(({ from }) => from < index)?.name ?? 'open',
    };
  }

  async open(): Promise<void> {
    this.#begin('open');
    const before = this.#session;
    this.#backend = new SimulatedBackend(this.#disk, () => this.#below(TURNS_MAX + 1));
    this.#platform = new SimulatedPlatform(this.#backend);
    const from = this.#disk.events.length;
    this.#database = await openLocal(this.#platform, 'life', {
      durability: this.#durability,
      syncInterval: SYNC_INTERVAL_MS,
      // No life hangs on the clock, however seldom its process gets a turn.
      lockTimeout: FOREVER_MS,
    });
    const worlds = before ? await this.#survived(before) : [new World()];
    const writes = worlds.length - 1;
    const durable = before?.durable.at(-1)?.writes ?? 0;
    this.#session = {
      from,
      worlds,
      issued: [{ at: from, writes }],
      durable: [{ at: from, writes: durable }],
      acknowledged: [{ at: from, writes: before ? writes : 0 }],
    };
    this.#sessions.push(this.#session);
  }

  async step(): Promise<void> {
    const choice = this.#random();
    if (choice < 0.5) this.#burst();
    else if (choice < 0.62) this.#run('checkpoint', (database) => database.checkpoint());
    else if (choice < 0.72) this.#run('compact', (database) => database.compact());
    else if (choice < 0.78) this.#run('flush', (database) => database.flush());
    else if (choice < 0.86) await this.#define();
    else if (choice < 0.91) {
      await this.close();
      await this.open();
    } else if (choice < 0.96) await this.#kill();
    else await this.#settle();
    // Often the next step begins while this one is under way.
    if (this.#chance(0.6)) await this.#settle();
    if (this.#chance(0.7)) this.#platform.runTurns();
  }

  async close(): Promise<void> {
    await this.#settle();
    this.#begin('close');
    const { writes } = this.#session.issued.at(-1)!;
    await this.#database.close();
    this.#note(this.#session.durable, writes);
  }

  /** The process ends in the middle of whatever it does. */
  async #kill(): Promise<void> {
    if (this.#chance(0.7)) this.#burst();
    if (this.#chance(0.3)) this.#run('checkpoint', (database) => database.checkpoint());
    for (let turns = this.#below(120); turns > 0; turns--) await undefined;
    this.#backend.kill();
    this.#running = [];
    await this.open();
  }

  /** Some writes, none waiting for the one before. */
  #burst(): void {
    const names = [...this.#world.collections.keys()];
    if (names.length === 0) return;
    for (let count = 1 + this.#below(4); count > 0; count--)
      if (this.#chance(0.25)) this.#transaction(names);
      else {
        const { kind, name, world, run } = this.#batch(this.#world, this.#pick(names));
        this.#write(kind, world, () => run(this.#collections.get(name)!));
      }
  }

  /** Batches over some collections, all or nothing. */
  #transaction(names: readonly string[]): void {
    let world = this.#world;
    const batches: Batch[] = [];
    for (let count = 1 + this.#below(4); count > 0; count--) {
      batches.push(this.#batch(world, this.#pick(names)));
      world = batches.at(-1)!.world;
    }
    const runAll = (database: Database, end: () => void) =>
      database.transaction(async (transaction) => {
        for (const { name, run } of batches) await run(transaction.collection(name));
        end();
      });
    if (this.#chance(0.8)) {
      this.#write('transaction', world, (database) => runAll(database, () => {}));
      return;
    }
    const rolledBack = new Error('rolled back');
    this.#begin('transaction rolled back');
    const run = runAll(this.#database, () => {
      throw rolledBack;
    });
    this.#running.push(
      run.catch((error) => {
        if (error !== rolledBack) throw error;
      }),
    );
  }

  #batch(before: World, name: string): Batch {
    const { records, config } = before.collections.get(name)!;
    const { dimensions } = config;
    const present = [...records.keys()];
    const absent = Array.from({ length: IDS }, (_, index) => `id${index}`).filter((id) => !records.has(id));
    const choice = this.#random();
    if (choice < 0.25 && absent.length > 0) {
      const batch = this.#some(absent).map((id) => this.#record(id, dimensions));
      const world = withRecords(before, name, batch);
      return { kind: 'insert', name, world, run: (collection) => collection.insert(batch) };
    }
    if (choice < 0.65 || present.length === 0) {
      const batch = this.#some([...present, ...absent]).map((id) => this.#record(id, dimensions));
      const world = withRecords(before, name, batch);
      return { kind: 'upsert', name, world, run: (collection) => collection.upsert(batch) };
    }
    if (choice < 0.8) {
      const changes = this.#some(present).map((id) => ({ id, metadata: { changed: this.#below(1000) } }));
      const world = before.change(name, (edited) => {
        for (const { id, metadata } of changes) {
          const record = edited.get(id)!;
          edited.set(id, { ...record, metadata: { ...record.metadata, ...metadata } });
        }
      });
      return { kind: 'update', name, world, run: (collection) => collection.update(changes) };
    }
    const ids = this.#some(present);
    const world = before.change(name, (edited) => {
      for (const id of ids) edited.delete(id);
    });
    return { kind: 'delete', name, world, run: (collection) => collection.delete(ids) };
  }

  /** Creates a collection, drops one or changes how its vectors are held, alone. */
  async #define(): Promise<void> {
    await this.#settle();
    const name = this.#pick(COLLECTION_NAMES);
    if (this.#world.collections.has(name)) {
      const collection = this.#collections.get(name)!;
      const quantization = this.#pick(QUANTIZATIONS);
      const choice = this.#random();
      // Where nothing changes, nothing is promised.
      if (choice < 0.4) {
        this.#begin('set quantization');
        this.#running.push(collection.setQuantization(quantization));
      } else if (choice < 0.6) {
        this.#begin('set fields');
        this.#running.push(collection.setFields(this.#pick(FIELDS)));
      } else {
        this.#write('drop collection', this.#world.without(name), (database) =>
          database.dropCollection(name),
        );
      }
    } else {
      const config: CollectionConfig & { metric: Metric } = {
        dimensions: 1 + this.#below(6),
        metric: this.#pick(METRICS),
        quantization: this.#pick(QUANTIZATIONS),
        fields: this.#pick(FIELDS),
        index: { type: this.#chance(0.7) ? 'hnsw' : 'flat', m: 4, efConstruction: 16 },
      };
      const created = this.#world.with(name, { config, records: new Map() });
      this.#write('create collection', created, (database) => database.collection(name, config));
    }
    await this.#settle();
    for (const each of this.#world.collections.keys())
      this.#collections.set(each, await this.#database.collection(each));
  }

  #record(id: string, dimensions: number): RecordInput & { id: string; vector: number[] } {
    const text = this.#chance(LARGE_TEXT_SHARE) ? 'x'.repeat(this.#below(LARGE_TEXT_BYTES_MAX)) : undefined;
    const number = this.#nextVector++;
    return { id, vector: vectorOf(number, dimensions), metadata: { number, ...(text && { text }) } };
  }

  /** What will be there once everything issued is done. */
  get #world(): World {
    return this.#session.worlds.at(-1)!;
  }

  /** Issues one write, and notes when it was promised. */
  #write(name: string, world: World, write: (database: Database) => Promise<unknown>): void {
    const session = this.#session;
    this.#begin(name);
    session.worlds.push(world);
    const writes = session.worlds.length - 1;
    this.#note(session.issued, writes);
    this.#running.push(
      write(this.#database).then(() => {
        this.#note(session.acknowledged, writes);
        if (this.#durability === 'strict') this.#note(session.durable, writes);
      }),
    );
  }

  /** Runs what makes everything issued before it durable. */
  #run(name: string, operation: (database: Database) => Promise<unknown>): void {
    const session = this.#session;
    this.#begin(name);
    const { writes } = session.issued.at(-1)!;
    this.#running.push(
      operation(this.#database).then(() => {
        this.#note(session.acknowledged, writes);
        this.#note(session.durable, writes);
      }),
    );
  }

  #note(marks: Mark[], writes: number): void {
    const before = marks.at(-1)?.writes ?? 0;
    marks.push({ at: this.#disk.events.length, writes: Math.max(before, writes) });
  }

  /** The worlds up to the one that the reopened database holds. */
  async #survived({ worlds, acknowledged }: Session): Promise<World[]> {
    this.#collections.clear();
    for (const { name } of await this.#database.collections())
      this.#collections.set(name, await this.#database.collection(name));
    const digest = await digestOfDatabase(this.#database);
    const at = worlds.findLastIndex((world) => world.digest === digest);
    const promised = acknowledged.at(-1)?.writes ?? 0;
    if (at < 0 || at < promised)
      throw new Error(`after the end of its process the database holds write ${at} of ${promised} promised`);
    return worlds.slice(0, at + 1);
  }

  async #settle(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.all(running);
  }

  #begin(name: string): void {
    this.#operations.push({ from: this.#disk.events.length, name });
  }

  /** 1 to BATCH_RECORDS_MAX different ones. */
  #some(ids: readonly string[]): string[] {
    const left = [...ids];
    const count = Math.min(left.length, 1 + this.#below(BATCH_RECORDS_MAX));
    return Array.from({ length: count }, () => left.splice(this.#below(left.length), 1)[0]!);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }
}

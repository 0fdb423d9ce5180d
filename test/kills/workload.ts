/**
 * What a writer that will be killed does, step by step. Every step follows from a seed and its number alone, so that
 * whoever looks afterwards knows what each has changed. Runs wherever isovec does.
 */
import type { CollectionConfig, Database, RecordInput } from '../../src/base/api.ts';

export interface Change {
  collection: string;
  /** Ids. The step's number is their records' version. */
  puts: string[];
  removals: string[];
}

export interface Step {
  index: number;
  kind:
    | 'insert'
    | 'upsert'
    | 'delete'
    | 'transaction'
    | 'create collection'
    | 'drop collection'
    | 'checkpoint'
    | 'compact'
    | 'flush';
  changes: Change[];
}

/** May be begun before the one before it has been acknowledged. */
export function isBatch({ kind }: Step): boolean {
  return kind === 'insert' || kind === 'upsert' || kind === 'delete';
}

export const COLLECTIONS: Record<string, CollectionConfig> = {
  first: { dimensions: 32 },
  second: { dimensions: 8, metric: 'euclidean', index: { type: 'flat' } },
  side: { dimensions: 4 },
};
/** These are there from the start; 'side' comes and goes. */
export const LASTING = ['first', 'second'];

/** How many ids are upserted again and again. */
const POOL = 200;
/** The batch of a log frame that takes many blocks of a disk, and so can be torn. */
const LARGE_BATCH = 300;
const PAD_LENGTH_MAX = 2000;
/** Which earlier steps' inserted records a delete step removes: so their number stays bounded. */
const OLD_STEPS = { from: 80, to: 20 };

export function stepOf(seed: number, index: number): Step {
  const random = randomOf(seed, index);
  const dice = random();
  const step = (kind: Step['kind'], ...changes: Change[]): Step => ({ index, kind, changes });
  if (dice < 0.3) return step('insert', insertedBy(seed, index)!);
  if (dice < 0.55) return step('upsert', upserts(random, random() < 0.7 ? 'first' : 'second'));
  if (dice < 0.7) return step('delete', deletions(seed, index, random));
  if (dice < 0.88)
    return step('transaction', upserts(random, 'first'), {
      ...upserts(random, 'second'),
      removals: pooled(random, 4),
    });
  if (dice < 0.91) return step('create collection');
  if (dice < 0.93) return step('drop collection');
  if (dice < 0.96) return step('checkpoint');
  return step(dice < 0.98 ? 'compact' : 'flush');
}

/** @returns undefined when this step is no insert */
function insertedBy(seed: number, index: number): Change | undefined {
  const random = randomOf(seed, index);
  if (random() >= 0.3) return undefined;
  const count = random() < 0.1 ? LARGE_BATCH : 1 + Math.floor(random() * 20);
  const puts = Array.from({ length: count }, (_, at) => `new-${index}-${at}`);
  return { collection: 'first', puts, removals: [] };
}

function upserts(random: () => number, collection: string): Change {
  return { collection, puts: pooled(random, 1 + Math.floor(random() * 20)), removals: [] };
}

function deletions(seed: number, index: number, random: () => number): Change {
  const old: string[] = [];
  for (let at = Math.max(0, index - OLD_STEPS.from); at < index - OLD_STEPS.to; at++)
    old.push(...(insertedBy(seed, at)?.puts ?? []));
  return { collection: 'first', puts: [], removals: [...old, ...pooled(random, 5)] };
}

/** Ids of the pool, each once. */
function pooled(random: () => number, count: number): string[] {
  return [...new Set(Array.from({ length: count }, () => `pool-${Math.floor(random() * POOL)}`))];
}

/** The record that the step of this number puts under this id. */
export function recordOf(collection: string, id: string, version: number): RecordInput & { id: string } {
  const random = randomOf(version, hash(id));
  const dimensions = COLLECTIONS[collection]!.dimensions;
  const vector = Float32Array.from({ length: dimensions }, () => random() - 0.5);
  const pad = 'x'.repeat(Math.floor(random() ** 4 * PAD_LENGTH_MAX));
  return { id, vector, metadata: { version, pad } };
}

/**
 * What every session begins with.
 * @param prefix stands before the collections' names: writers of one database each have their own
 */
export async function prepare(database: Database, prefix: string): Promise<void> {
  for (const name of LASTING) await database.collection(prefix + name, COLLECTIONS[name]);
}

export async function perform(
  database: Database,
  { kind, index, changes }: Step,
  prefix: string,
): Promise<void> {
  const side = `${prefix}side`;
  const records = ({ collection, puts }: Change) => puts.map((id) => recordOf(collection, id, index));
  const [change] = changes;
  if (kind === 'transaction')
    await database.transaction(async (transaction) => {
      for (const each of changes) {
        const collection = transaction.collection(prefix + each.collection);
        await collection.delete(each.removals);
        await collection.upsert(records(each));
      }
    });
  else if (kind === 'create collection') await database.collection(side, COLLECTIONS.side);
  else if (kind === 'drop collection') {
    const infos = await database.collections();
    if (infos.some(({ name }) => name === side)) await database.dropCollection(side);
  } else if (change) {
    const collection = await database.collection(prefix + change.collection);
    if (kind === 'delete') await collection.delete(change.removals);
    else await collection[kind as 'insert' | 'upsert'](records(change));
  } else await database[kind as 'checkpoint' | 'compact' | 'flush']();
}

export interface Say {
  /** Before a step is begun. */
  begun(step: Step): void | Promise<void>;
  /** After it was acknowledged, and before the next is begun. */
  acknowledged(step: Step): void | Promise<void>;
}

/**
 * Does one step after the other, for ever.
 * @param overlap how many batches may be under way at once
 */
export async function work(
  database: Database,
  seed: number,
  start: number,
  overlap: number,
  prefix: string,
  say: Say,
): Promise<never> {
  for (let index = start; ; ) {
    const steps = [stepOf(seed, index)];
    while (isBatch(steps[0]!) && steps.length < overlap) {
      const next = stepOf(seed, index + steps.length);
      if (!isBatch(next)) break;
      steps.push(next);
    }
    for (const step of steps) await say.begun(step);
    const running = steps.map((step) => perform(database, step, prefix));
    running.forEach((each) => {
      each.catch(() => {}); // reported by the loop below
    });
    for (const [at, step] of steps.entries()) {
      await running[at];
      await say.acknowledged(step);
    }
    index += steps.length;
  }
}

/** Numbers from 0 up to 1 that follow from two seeds. mulberry32, public domain, by Tommy Ettinger. */
export function randomOf(seed: number, index: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hash(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at++) value = (Math.imul(value, 31) + text.charCodeAt(at)) | 0;
  return value >>> 0;
}

/** What is measured of one size, through the public API. The same code runs in a Node process and in a page. */
import type { Collection } from '../../dist/index.js';
import { gaussian } from '../datasets/random.ts';
import { normalised, rowOf } from '../datasets/rows.ts';
import { M, TOP_K } from '../engine.ts';
import type { Isovec, Quantization } from '../engines/isovec.ts';
import { quantile } from '../measure.ts';

export interface Task {
  count: number;
  dimensions: number;
  quantization: Quantization;
  efConstruction: number;
}

export interface Build {
  /** Until every record was acknowledged as durable, and searchable. */
  insertSeconds: number;
  /** Until all were in the graph. */
  buildSeconds: number;
}

export interface Queries {
  p50Ms: number;
  p99Ms: number;
  recall: number;
  /** With the least `ef` of those tried that reaches the recall aimed at; absent where none did. */
  aimed?: { ef: number; recall: number; p50Ms: number; p99Ms: number };
}

export interface Held {
  memoryBytes: number;
  diskBytes: number;
}

const COLLECTION = 'vectors';
const RECORDS_PER_BATCH = 1000;
const QUERY_COUNT = 1000;
/** Answered exactly too, which takes a scan of everything: of codes, of the vectors on the disk. */
const JUDGED_MAX = 100;
const JUDGED_MIN = 20;
/** Of all those scans. */
const SCANNED_VECTORS = 1e7;
const judgedCount = (count: number) =>
  Math.min(JUDGED_MAX, Math.max(JUDGED_MIN, Math.ceil(SCANNED_VECTORS / count)));
export const RECALL_AIM = 0.95;
const EFS = [64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048];
/** How often to ask whether the graph has caught up. */
const POLL_MS = 20;

/** Inserts everything, in batches that are flushed one by one. Making the vectors is not counted. */
export async function build({ open }: Isovec, location: string, task: Task): Promise<Build> {
  const { count, dimensions, quantization, efConstruction } = task;
  const database = await open(location);
  const collection = await database.collection(COLLECTION, {
    dimensions,
    quantization,
    index: { m: M, efConstruction },
  });
  const vectors = new Vectors(dimensions);
  let buildMs = 0;
  for (let first = 0; first < count; first += RECORDS_PER_BATCH) {
    const records = Array.from({ length: Math.min(RECORDS_PER_BATCH, count - first) }, (_, offset) => ({
      id: String(first + offset),
      vector: vectors.next(),
    }));
    const startMs = performance.now();
    await collection.insert(records);
    buildMs += performance.now() - startMs;
  }
  const insertMs = buildMs;
  const startMs = performance.now();
  await untilIndexed(collection);
  buildMs += performance.now() - startMs;
  await database.close();
  return { insertSeconds: insertMs / 1000, buildSeconds: buildMs / 1000 };
}

/** From a closed database to its first answer. @returns milliseconds */
export async function reopen({ open }: Isovec, location: string, task: Task): Promise<number> {
  const [query = new Float32Array(task.dimensions)] = queriesOf(task);
  const startMs = performance.now();
  const database = await open(location);
  const collection = await database.collection(COLLECTION);
  await collection.query({ vector: query, topK: TOP_K, include: [] });
  const elapsedMs = performance.now() - startMs;
  await database.close();
  return elapsedMs;
}

/** Queries one after another, on a database opened for them: of the default `ef`, and of one that finds enough. */
export async function search(
  { open }: Isovec,
  location: string,
  task: Task,
  whileOpen: () => void = () => {},
): Promise<Queries & Held> {
  const database = await open(location);
  const collection = await database.collection(COLLECTION);
  await untilIndexed(collection);
  const queries = queriesOf(task);
  const judged = queries.slice(0, judgedCount(task.count));
  const truth: Set<string>[] = [];
  for (const vector of judged) {
    const exact = await collection.query({ vector, topK: TOP_K, exact: true, include: [] });
    truth.push(new Set(exact.map(({ id }) => id)));
  }
  const recall = await recallOf(collection, judged, truth);
  const latencies = await latenciesOf(collection, queries);
  const aimed = await aimedAt(collection, queries, truth);
  const { memoryBytes, diskBytes } = await database.stats();
  whileOpen();
  await database.close();
  return { ...latencies, recall, ...(aimed && { aimed }), memoryBytes, diskBytes };
}

async function aimedAt(
  collection: Collection,
  queries: Float32Array[],
  truth: Set<string>[],
): Promise<Queries['aimed']> {
  for (const ef of EFS) {
    const recall = await recallOf(collection, queries.slice(0, truth.length), truth, ef);
    if (recall >= RECALL_AIM) return { ef, recall, ...(await latenciesOf(collection, queries, ef)) };
  }
  return undefined;
}

async function recallOf(
  collection: Collection,
  judged: Float32Array[],
  truth: Set<string>[],
  ef?: number,
): Promise<number> {
  let found = 0;
  for (const [at, vector] of judged.entries()) {
    const hits = await collection.query({ vector, topK: TOP_K, include: [], ...(ef && { ef }) });
    found += hits.filter(({ id }) => truth[at]?.has(id)).length;
  }
  return found / (judged.length * TOP_K);
}

async function latenciesOf(
  collection: Collection,
  queries: Float32Array[],
  ef?: number,
): Promise<{ p50Ms: number; p99Ms: number }> {
  const latenciesMs: number[] = [];
  for (const vector of queries) {
    const startMs = performance.now();
    await collection.query({ vector, topK: TOP_K, include: [], ...(ef && { ef }) });
    latenciesMs.push(performance.now() - startMs);
  }
  return { p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99) };
}

async function untilIndexed(collection: Collection): Promise<void> {
  for (;;) {
    const { count, indexed } = await collection.info();
    if (indexed === count) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** As many numbers decide a vector: embeddings of texts fill few of their dimensions, too. */
const FACTORS = 64;
/** Of a factor's share with its rank. With it recall falls a little sooner than among sentences. */
const DECAY = 0.5;
/** Beside the first factor's share of 1. */
const NOISE = 0.2;
const VECTOR_SEED = 1;
const QUERY_SEED = 2;
const AXES_SEED = 3;

function queriesOf({ dimensions }: Task): Float32Array[] {
  const vectors = new Vectors(dimensions, QUERY_SEED);
  return Array.from({ length: QUERY_COUNT }, () => vectors.next());
}

/** Vectors without end, the same on every machine: a few factors, each less than the one before, and noise. */
class Vectors {
  readonly #dimensions: number;
  readonly #axes: Float32Array;
  readonly #noise: () => number;

  constructor(dimensions: number, seed = VECTOR_SEED) {
    this.#dimensions = dimensions;
    const noise = gaussian(AXES_SEED);
    this.#axes = Float32Array.from({ length: FACTORS * dimensions }, noise);
    this.#noise = gaussian(seed);
  }

  next(): Float32Array {
    const sum = Float32Array.from({ length: this.#dimensions }, () => NOISE * this.#noise());
    for (let factor = 0; factor < FACTORS; factor++) {
      const share = this.#noise() / (factor + 1) ** DECAY;
      const axis = rowOf(this.#axes, this.#dimensions, factor);
      for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) + share * (axis[at] ?? 0);
    }
    return normalised(sum) ?? this.next();
  }
}

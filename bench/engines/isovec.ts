/** isovec through its public API, as an application uses it: records on disk, every batch flushed before it counts. */

import type { Collection, CollectionConfig, Database, Hit, OpenOptions } from '../../dist/index.js';
import { EF_CONSTRUCTION, type Engine, type Footprint, M, TOP_K } from '../engine.ts';

/** The part of the package that is used here; Node and the browser each bring their own entry. */
export interface Isovec {
  open(location: string, options?: OpenOptions): Promise<Database>;
  destroy(location: string, options?: OpenOptions): Promise<void>;
}

export type Quantization = NonNullable<CollectionConfig['quantization']>;

const COLLECTION = 'vectors';
const RECORDS_PER_BATCH = 1000;
/** The graph catches up in the background; how often to ask whether it has. */
const POLL_MS = 5;
/** Queries make codes of links when they come by: every tenth vector is asked for before anything is measured. */
const VECTORS_PER_WARMING = 10;
const WARMING_EF = 100;
/** As all others. */
const ONE_THREAD: OpenOptions = { buildThreads: 0 };

export class IsovecEngine implements Engine<Float32Array> {
  readonly #isovec: Isovec;
  readonly #location: string;
  readonly #quantization: Quantization;
  readonly #efConstruction: number;
  readonly #linkCodes: boolean;
  #database: Database | undefined;
  #collection: Collection | undefined;

  constructor(
    isovec: Isovec,
    location: string,
    quantization: Quantization = 'none',
    efConstruction = EF_CONSTRUCTION,
    linkCodes = false,
  ) {
    this.#isovec = isovec;
    this.#location = location;
    this.#quantization = quantization;
    this.#efConstruction = efConstruction;
    this.#linkCodes = linkCodes;
  }

  encode(vector: Float32Array): Float32Array {
    return vector;
  }

  async create(dimensions: number): Promise<void> {
    await this.#isovec.destroy(this.#location);
    this.#database = await this.#isovec.open(this.#location, ONE_THREAD);
    this.#collection = await this.#database.collection(COLLECTION, {
      dimensions,
      metric: 'cosine',
      quantization: this.#quantization,
      index: { m: M, efConstruction: this.#efConstruction, linkCodes: this.#linkCodes },
    });
  }

  async add(firstLabel: number, vectors: Float32Array[]): Promise<void> {
    const collection = this.#opened();
    for (let first = 0; first < vectors.length; first += RECORDS_PER_BATCH) {
      const batch = vectors.slice(first, first + RECORDS_PER_BATCH);
      await collection.insert(
        batch.map((vector, offset) => ({ id: String(firstLabel + first + offset), vector })),
      );
    }
    await this.#untilIndexed(collection);
    if (this.#linkCodes)
      for (let at = 0; at < vectors.length; at += VECTORS_PER_WARMING)
        await this.search(vectors[at]!, WARMING_EF);
  }

  async search(query: Float32Array, ef: number): Promise<number[]> {
    return labelsOf(await this.#opened().query({ vector: query, topK: TOP_K, ef, include: [] }));
  }

  async searchMany(queries: Float32Array[], ef: number): Promise<number[][]> {
    const answers = await this.#opened().queryMany(
      queries.map((vector) => ({ vector, topK: TOP_K, ef, include: [] })),
    );
    return answers.map(labelsOf);
  }

  async store(): Promise<void> {
    await this.#database?.close();
  }

  async reopen(): Promise<void> {
    this.#database = await this.#isovec.open(this.#location, ONE_THREAD);
    this.#collection = await this.#database.collection(COLLECTION);
  }

  /** After a checkpoint: until then, new vectors are held twice and the graph is not on disk. */
  async footprint(): Promise<Footprint> {
    await this.#database?.checkpoint();
    const stats = await this.#database?.stats();
    return stats === undefined ? {} : { memory: stats.memoryBytes, disk: stats.diskBytes };
  }

  async close(): Promise<void> {
    await this.#database?.close();
    await this.#isovec.destroy(this.#location);
  }

  #opened(): Collection {
    if (this.#collection === undefined) throw new Error('create() comes first');
    return this.#collection;
  }

  async #untilIndexed(collection: Collection): Promise<void> {
    for (;;) {
      const { count, indexed } = await collection.info();
      if (indexed === count) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

function labelsOf(hits: Hit[]): number[] {
  return hits.map((hit) => Number(hit.id));
}

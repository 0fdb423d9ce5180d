/**
 * USearch: HNSW in C++, native, with the package's own prebuilt binary. It fixes `ef` when an index is made; to sweep
 * it over one graph, the index is loaded anew, before the clock starts.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EF_CONSTRUCTION, type Engine, type Footprint, M, REOPEN_EF, TOP_K } from '../engine.ts';
import { dataFolder } from '../folders.ts';
import { requirePeer } from './peer.ts';

interface Matches {
  keys: BigUint64Array;
}

interface Index {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(vectors: Float32Array, count: number, threads: number): Matches;
  save(file: string): void;
  load(file: string): void;
}

interface Usearch {
  Index: new (config: {
    dimensions: number;
    metric: 'cos';
    quantization: 'f32' | 'i8';
    connectivity: number;
    expansion_add: number;
    expansion_search: number;
    multi: boolean;
  }) => Index;
}

/** What it holds in its graph. */
export type UsearchScalar = 'f32' | 'i8';

const ONE_THREAD = 1;

export class UsearchEngine implements Engine<Float32Array> {
  readonly #scalar: UsearchScalar;
  readonly #folder: string;
  readonly #file: string;
  readonly #usearch = requirePeer<Usearch>('usearch');
  #dimensions = 0;
  #index: Index | undefined;
  #ef = 0;
  /** Does the file hold what the index does? */
  #isStored = false;

  constructor(scalar: UsearchScalar) {
    this.#scalar = scalar;
    this.#folder = join(dataFolder, `usearch-${process.pid}`);
    this.#file = join(this.#folder, 'index');
  }

  encode(vector: Float32Array): Float32Array {
    return vector;
  }

  async create(dimensions: number): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    this.#dimensions = dimensions;
    this.#index = this.#make(TOP_K);
  }

  add(firstLabel: number, vectors: Float32Array[]): void {
    this.#isStored = false;
    for (const [offset, vector] of vectors.entries())
      this.#index?.add(BigUint64Array.of(BigInt(firstLabel + offset)), vector, ONE_THREAD);
  }

  search(query: Float32Array, ef: number): number[] {
    if (ef !== this.#ef) this.#reload(ef);
    const keys = this.#index?.search(query, TOP_K, ONE_THREAD).keys ?? [];
    return Array.from(keys, Number);
  }

  async store(): Promise<void> {
    this.#save();
    this.#index = undefined;
  }

  async reopen(): Promise<void> {
    this.#ef = REOPEN_EF;
    this.#index = this.#make(this.#ef);
    this.#index.load(this.#file);
  }

  async footprint(): Promise<Footprint> {
    this.#save();
    return { disk: statSync(this.#file).size };
  }

  async close(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #save(): void {
    if (!this.#isStored) this.#index?.save(this.#file);
    this.#isStored = true;
  }

  #reload(ef: number): void {
    this.#save();
    this.#ef = ef;
    this.#index = this.#make(ef);
    this.#index.load(this.#file);
  }

  #make(ef: number): Index {
    return new this.#usearch.Index({
      dimensions: this.#dimensions,
      metric: 'cos',
      quantization: this.#scalar,
      connectivity: M,
      expansion_add: EF_CONSTRUCTION,
      expansion_search: ef,
      multi: false,
    });
  }
}

/** hnswlib-node: hnswlib in native C++ behind Node's addon interface, compiled on installation with its own flags. */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EF_CONSTRUCTION, type Engine, type Footprint, M, TOP_K } from '../engine.ts';
import { dataFolder } from '../folders.ts';
import { requirePeer } from './peer.ts';

interface HierarchicalNSW {
  initIndex(maxElements: number, m: number, efConstruction: number): void;
  addPoint(point: number[], label: number): void;
  setEf(ef: number): void;
  searchKnn(query: number[], count: number): { neighbors: number[] };
  writeIndexSync(file: string): void;
  readIndexSync(file: string): void;
}

interface HnswlibNode {
  HierarchicalNSW: new (space: 'ip', dimensions: number) => HierarchicalNSW;
}

/** Inner product, not cosine: the vectors are normalised already, and hnswlib would do it again for each query. */
const SPACE = 'ip';

export class HnswlibNodeEngine implements Engine<number[]> {
  readonly #folder = join(dataFolder, `hnswlib-node-${process.pid}`);
  readonly #file = join(this.#folder, 'index');
  readonly #hnswlib = requirePeer<HnswlibNode>('hnswlib-node');
  #index: HierarchicalNSW | undefined;
  #dimensions = 0;

  encode(vector: Float32Array): number[] {
    return Array.from(vector);
  }

  async create(dimensions: number, capacity: number): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    this.#dimensions = dimensions;
    this.#index = new this.#hnswlib.HierarchicalNSW(SPACE, dimensions);
    this.#index.initIndex(capacity, M, EF_CONSTRUCTION);
  }

  add(firstLabel: number, vectors: number[][]): void {
    for (const [offset, vector] of vectors.entries()) this.#index?.addPoint(vector, firstLabel + offset);
  }

  search(query: number[], ef: number): number[] {
    this.#index?.setEf(ef);
    return this.#index?.searchKnn(query, TOP_K).neighbors ?? [];
  }

  async store(): Promise<void> {
    this.#index?.writeIndexSync(this.#file);
    this.#index = undefined;
  }

  async reopen(): Promise<void> {
    this.#index = new this.#hnswlib.HierarchicalNSW(SPACE, this.#dimensions);
    this.#index.readIndexSync(this.#file);
  }

  async footprint(): Promise<Footprint> {
    this.#index?.writeIndexSync(this.#file);
    return { disk: statSync(this.#file).size };
  }

  async close(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

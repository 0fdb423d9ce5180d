/**
 * hnswlib-wasm: hnswlib compiled by Emscripten, scalar. Made for browsers: in Node it starts once `window` and
 * `indexedDB` exist, and its files are in memory, so reopening from disk cannot be measured.
 */
import { EF_CONSTRUCTION, type Engine, type Footprint, M, TOP_K } from '../engine.ts';
import { importPeer } from './peer.ts';

interface HierarchicalNSW {
  initIndex(maxElements: number, m: number, efConstruction: number, randomSeed: number): void;
  addPoint(point: Float32Array, label: number, replaceDeleted: boolean): void;
  setEfSearch(ef: number): void;
  searchKnn(query: Float32Array, count: number, filter: undefined): { neighbors: number[] };
}

interface HnswlibWasm {
  loadHnswlib(): Promise<{
    HierarchicalNSW: new (space: 'ip', dimensions: number, autoSaveFile: string) => HierarchicalNSW;
  }>;
}

/** hnswlib's own default. */
const RANDOM_SEED = 100;

export class HnswlibWasmEngine implements Engine<Float32Array> {
  #index: HierarchicalNSW | undefined;

  encode(vector: Float32Array): Float32Array {
    return vector;
  }

  async create(dimensions: number, capacity: number): Promise<void> {
    Object.assign(globalThis, { window: globalThis });
    await importPeer('fake-indexeddb/auto/index.mjs');
    const module = await importPeer<HnswlibWasm>('hnswlib-wasm/dist/hnswlib.js');
    const hnswlib = await module.loadHnswlib();
    this.#index = new hnswlib.HierarchicalNSW('ip', dimensions, '');
    this.#index.initIndex(capacity, M, EF_CONSTRUCTION, RANDOM_SEED);
  }

  add(firstLabel: number, vectors: Float32Array[]): void {
    for (const [offset, vector] of vectors.entries())
      this.#index?.addPoint(vector, firstLabel + offset, false);
  }

  search(query: Float32Array, ef: number): number[] {
    this.#index?.setEfSearch(ef);
    return this.#index?.searchKnn(query, TOP_K, undefined).neighbors ?? [];
  }

  async footprint(): Promise<Footprint> {
    return {};
  }

  async close(): Promise<void> {}
}

/** isovec's kernel alone: the index in WebAssembly, without records, files or promises around it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVectorIndex } from '../../src/search/kernel-index.ts';
import type { VectorIndex } from '../../src/search/vector-index.ts';
import { EF_CONSTRUCTION, type Engine, type Footprint, M, TOP_K } from '../engine.ts';
import { rootFolder } from '../folders.ts';

export class IsovecKernelEngine implements Engine<Float32Array> {
  #index: VectorIndex | undefined;

  encode(vector: Float32Array): Float32Array {
    return vector;
  }

  async create(dimensions: number, capacity: number): Promise<void> {
    const module = new WebAssembly.Module(readFileSync(join(rootFolder, 'src', 'runtime', 'isovec.wasm')));
    this.#index = createVectorIndex(module, {
      dimensions,
      metric: 'cosine',
      type: 'hnsw',
      m: M,
      efConstruction: EF_CONSTRUCTION,
      quantization: 'none',
    });
    this.#index.reserve(capacity);
  }

  add(firstLabel: number, vectors: Float32Array[]): void {
    for (const [offset, vector] of vectors.entries()) this.#index?.add(firstLabel + offset, vector);
    while (this.#index?.backlogCount) this.#index.link(vectors.length);
  }

  search(query: Float32Array, ef: number): number[] {
    return Array.from(this.#index?.search(query, TOP_K, ef).rows ?? []);
  }

  async footprint(): Promise<Footprint> {
    return {};
  }

  async close(): Promise<void> {}
}

import type { Neighbours, VectorIndex } from '../search/vector-index.ts';

/** Vectors that are gathered before those that are not among the nearest go: a quarter of a megabyte of 256 dimensions. */
const GATHERED_MAX = 256;

/** The nearest of any number of vectors that are read one after another, by an index that never holds many of them. */
export class Ranking {
  readonly #index: VectorIndex;
  readonly #query: Float32Array;
  readonly #topK: number;
  #rows: number[] = [];

  /** @param index flat and empty, of vectors */
  constructor(index: VectorIndex, { vector, topK }: { vector: Float32Array; topK: number }) {
    this.#index = index;
    this.#query = vector;
    this.#topK = topK;
  }

  /** @param row never given before */
  offer(row: number, vector: Float32Array): void {
    this.#index.add(row, vector);
    this.#rows.push(row);
    if (this.#rows.length >= 2 * this.#topK + GATHERED_MAX) this.#keepNearest();
  }

  neighbours(): Neighbours {
    return this.#index.scan(this.#query, this.#topK);
  }

  /** Leaves the index as it was. */
  clear(): void {
    for (const row of this.#rows) this.#index.remove(row);
    this.#rows = [];
  }

  #keepNearest(): void {
    const nearest = Array.from(this.neighbours().rows);
    const kept = new Set(nearest);
    for (const row of this.#rows) if (!kept.has(row)) this.#index.remove(row);
    this.#rows = nearest;
  }
}

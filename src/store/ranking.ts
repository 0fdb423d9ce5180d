import type { Neighbours, VectorIndex } from '../search/vector-index.ts';

/** Vectors that are gathered before those that are not among the nearest go: a quarter of a megabyte of 256 dimensions. */
const GATHERED_MAX = 256;

/** The nearest of any number of vectors that are read one after another, to each of some queries, by an index that never
 *  holds many of them. */
export class Ranking {
  readonly #index: VectorIndex;
  readonly #queries: readonly Float32Array[];
  readonly #topK: number;
  #rows: number[] = [];

  /** @param index flat and empty, of vectors @param queries up to QUERIES_TOGETHER_MAX */
  constructor(index: VectorIndex, queries: readonly Float32Array[], topK: number) {
    this.#index = index;
    this.#queries = queries;
    this.#topK = topK;
  }

  /** @param row never given before */
  offer(row: number, vector: Float32Array): void {
    this.#index.add(row, vector);
    this.#rows.push(row);
    if (this.#rows.length >= 2 * this.#topK * this.#queries.length + GATHERED_MAX) this.#keepNearest();
  }

  /** Of each query. */
  neighbours(): Neighbours[] {
    return this.#queries.length > 1 && this.#index.searchSeveral
      ? this.#index.searchSeveral(this.#queries, this.#topK, 0)
      : this.#queries.map((query) => this.#index.scan(query, this.#topK));
  }

  /** Leaves the index as it was. */
  clear(): void {
    for (const row of this.#rows) this.#index.remove(row);
    this.#rows = [];
  }

  #keepNearest(): void {
    const kept = new Set(this.neighbours().flatMap(({ rows }) => Array.from(rows)));
    for (const row of this.#rows) if (!kept.has(row)) this.#index.remove(row);
    this.#rows = [...kept];
  }
}

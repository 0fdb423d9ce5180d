import { IsovecError } from '../base/errors.ts';
import type { Neighbours, VectorIndex } from '../search/vector-index.ts';

/** Of a row's place in the circle. */
const PLACE_BYTES = 8;

/**
 * Float32 rows read from storage, kept for the next query that ranks the same ones. They lie in a flat index, which ranks
 * them ten times as fast as JavaScript does.
 */
export class VectorCache {
  readonly #index: VectorIndex;
  readonly #mayGrow: (bytes: number) => boolean;
  /** In a circle: what has been kept longest, at `#oldest`, goes first. Finding a row costs no more than a look then. */
  readonly #kept: number[] = [];
  #rowsMax: number;
  #oldest = 0;

  /**
   * @param index flat and empty, of vectors
   * @param rowsMax how many are kept
   * @param mayGrow is asked before memory is taken
   */
  constructor(index: VectorIndex, rowsMax: number, mayGrow: (bytes: number) => boolean = () => true) {
    this.#index = index;
    this.#rowsMax = rowsMax;
    this.#mayGrow = mayGrow;
  }

  get memoryBytes(): number {
    return this.#index.memoryBytes + this.#kept.length * PLACE_BYTES;
  }

  /** Fewer than was said, where there is no memory for more. */
  get rowsMax(): number {
    return this.#rowsMax;
  }

  has(row: number): boolean {
    return this.#index.has(row);
  }

  /** Copies it, as long as there is memory for a single one. */
  keep(row: number, vector: Float32Array): void {
    if (this.has(row) || this.#add(row, vector) || this.#rowsMax === 0) return;
    this.#index.remove(this.#kept[this.#oldest]!);
    this.#index.add(row, vector);
    this.#kept[this.#oldest] = row;
    this.#oldest = (this.#oldest + 1) % this.#rowsMax;
  }

  /** @param rows each once; those not held do not count */
  rank(query: Float32Array, rows: Iterable<number>, topK: number): Neighbours {
    return this.#index.searchAmong(query, rows, topK);
  }

  /** @returns whether there was room for one more */
  #add(row: number, vector: Float32Array): boolean {
    if (this.#kept.length === this.#rowsMax) return false;
    if (!this.#takeRoom()) {
      this.#rowsMax = this.#kept.length;
      return false;
    }
    this.#index.add(row, vector);
    this.#kept.push(row);
    return true;
  }

  #takeRoom(): boolean {
    const bytes = this.#index.bytesFor(1);
    if (bytes > 0 && !this.#mayGrow(bytes)) return false;
    try {
      this.#index.reserve(1);
    } catch (error) {
      if (!(error instanceof IsovecError) || error.code !== 'QUOTA_EXCEEDED') throw error;
      return false;
    }
    return true;
  }
}

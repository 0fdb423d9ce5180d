import type { VectorIndex } from '../search/vector-index.ts';
import type { RowTable } from '../tables/row-table.ts';

/**
 * Gives the index every live row, and every row of the graph image: one that died since the image was written is taken
 * out again, as it would have been.
 */
export class Filling {
  readonly index: VectorIndex;
  readonly rows: RowTable;
  readonly #onProgress: (rowsDone: number) => void;
  readonly #stale: number[] = [];
  #row = 0;

  constructor(rows: RowTable, index: VectorIndex, onProgress: (rowsDone: number) => void) {
    this.rows = rows;
    this.index = index;
    this.#onProgress = onProgress;
  }

  /** The first row that has not been taken. */
  get row(): number {
    return this.#row;
  }

  /** Takes the next rows. @param add gives the index one of them */
  take(count: number, add: (row: number, at: number) => void): void {
    for (let at = 0; at < count; at++) {
      const row = this.#row++;
      if (this.rows.isLive(row)) add(row, at);
      else if (this.index.has(row)) {
        add(row, at);
        this.#stale.push(row);
      }
    }
    this.#onProgress(count);
  }

  /** Takes the codes of the next rows. */
  takeCodes(codes: Uint8Array): void {
    const { rows, index } = this;
    index.addCodes(this.#row, codes, (row) => rows.isLive(row));
    this.#taken(codes.length / index.codeBytes);
  }

  /** Takes the vectors of the next rows. @param addVectors of the index */
  takeVectors(
    vectors: Uint8Array,
    strideBytes: number,
    addVectors: NonNullable<VectorIndex['addVectors']>,
  ): void {
    const { rows, index } = this;
    addVectors.call(index, this.#row, vectors, strideBytes, (row) => rows.isLive(row));
    this.#taken(vectors.length / strideBytes);
  }

  #taken(count: number): void {
    const first = this.#row;
    this.#row += count;
    for (let row = first; row < this.#row; row++)
      if (!this.rows.isLive(row) && this.index.has(row)) this.#stale.push(row);
    this.#onProgress(count);
  }

  finish(): void {
    for (const row of this.#stale) this.index.remove(row);
  }
}

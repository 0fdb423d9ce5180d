import type { RowTable } from '../../tables/row-table.ts';
import type { TextStatistics } from '../../text/bm25.ts';

const CAPACITY_MIN = 1024;

/** How many terms the text of each row has; grows. */
export class TextLengths {
  #lengths = new Uint32Array(CAPACITY_MIN);
  #count = 0;
  /** With so many rows, of which so many had died. */
  #known: (TextStatistics & { rowCount: number; deadCount: number }) | undefined;

  get memoryBytes(): number {
    return this.#lengths.byteLength;
  }

  /** By row: a view, until it grows. */
  get values(): Uint32Array {
    return this.#lengths.subarray(0, this.#count);
  }

  slice(firstRow: number, endRow: number): Uint32Array {
    return this.#lengths.slice(firstRow, endRow);
  }

  push(length: number): void {
    this.#reserve(1);
    this.#lengths[this.#count++] = length;
  }

  take(lengths: Uint32Array): void {
    this.#reserve(lengths.length);
    this.#lengths.set(lengths, this.#count);
    this.#count += lengths.length;
  }

  truncate(count: number): void {
    this.#count = Math.min(this.#count, count);
    this.#known = undefined;
  }

  /** Of the rows that live. */
  statistics(rows: RowTable): TextStatistics {
    const { deadCount } = rows;
    const known = this.#known?.deadCount === deadCount ? this.#known : { rowCount: 0, count: 0, length: 0 };
    let { count, length } = known;
    for (let row = known.rowCount; row < this.#count; row++) {
      const own = this.#lengths[row]!;
      if (own === 0 || (deadCount > 0 && !rows.isLive(row))) continue;
      count++;
      length += own;
    }
    this.#known = { rowCount: this.#count, deadCount, count, length };
    return this.#known;
  }

  #reserve(count: number): void {
    if (this.#count + count <= this.#lengths.length) return;
    const grown = new Uint32Array(Math.max(this.#count + count, this.#lengths.length * 2));
    grown.set(this.values);
    this.#lengths = grown;
  }
}

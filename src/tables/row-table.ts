import { IsovecError } from '../base/errors.ts';
import { ROWS_MAX } from '../base/limits.ts';
import { Bitmap } from './growable.ts';
import { IdHash, NO_ROW } from './id-hash.ts';
import { IdStore } from './id-store.ts';

const ASCII_MAX = 0x7f;

/**
 * Which id stands in which row. Rows are given out in order and never change; a replaced or deleted record leaves a
 * dead row behind until compaction renumbers.
 *
 * Every row has a position, its place in insertion order: its own number, or for a record that replaced another, the
 * position of the one it replaced.
 *
 * Rows are found by their ids through a hash, which queries do not need: after opening it is filled in when an id is
 * first asked for, or before that, a piece at a time, by `indexIds`.
 */
export class RowTable {
  readonly #ids = new IdStore();
  readonly #dead = new Bitmap();
  readonly #hash = new IdHash(this.#ids);
  /** Rows below this are in the hash, if they live. */
  #indexedCount = 0;
  readonly #decoder = new TextDecoder();
  /** For ids that are decoded together. */
  #joined = new Uint8Array();
  #deadCount = 0;

  /** Rows given out, dead ones included. */
  get rowCount(): number {
    return this.#ids.rowCount;
  }

  get liveCount(): number {
    return this.rowCount - this.#deadCount;
  }

  get deadCount(): number {
    return this.#deadCount;
  }

  get memoryBytes(): number {
    return this.#ids.memoryBytes + this.#dead.memoryBytes + this.#hash.memoryBytes;
  }

  /** @returns the live row of this id, or NO_ROW */
  find(id: Uint8Array): number {
    this.indexIds();
    return this.#hash.find(id);
  }

  isLive(row: number): boolean {
    return row < this.rowCount && !this.#dead.has(row);
  }

  /** Which rows are dead now; later deaths do not reach the copy. */
  deadRows(): Bitmap {
    return this.#dead.copy();
  }

  /** A view of memory that never changes. */
  idBytes(row: number): Uint8Array {
    this.#ids.find(row);
    return this.#ids.bytes.subarray(this.#ids.start, this.#ids.end);
  }

  id(row: number): string {
    return this.#decoder.decode(this.idBytes(row));
  }

  /** Of several rows: decoded in one call, which costs as much as each by itself would. */
  idsOf(rows: ArrayLike<number>): string[] {
    const ends = new Array<number>(rows.length);
    let end = 0;
    let bits = 0;
    for (let at = 0; at < rows.length; at++) {
      const ids = this.#ids;
      ids.find(rows[at]!);
      const start = end;
      end += ids.end - ids.start;
      if (end > this.#joined.length) this.#joined = grown(this.#joined, end);
      for (let to = start, from = ids.start; to < end; to++, from++) {
        const byte = ids.bytes[from]!;
        bits |= byte;
        this.#joined[to] = byte;
      }
      ends[at] = end;
    }
    // Elsewhere a character may be several bytes.
    if (bits > ASCII_MAX) return Array.from(rows, (row) => this.id(row));
    const text = this.#decoder.decode(this.#joined.subarray(0, end));
    return ends.map((each, at) => text.slice(at === 0 ? 0 : ends[at - 1], each));
  }

  position(row: number): number {
    this.#ids.find(row);
    return this.#ids.position;
  }

  /** Gives the id the next row. The row that it had, if any, dies and hands on its position.
   *  @returns the new row, and the one before or NO_ROW */
  put(id: Uint8Array): { row: number; replaced: number } {
    this.indexIds();
    const row = this.rowCount;
    this.#checkRoom(1);
    const found = this.#hash.find(id);
    this.#ids.append(id, found === NO_ROW ? row : this.position(found));
    const replaced = this.#hash.set(row);
    this.#indexedCount++;
    if (replaced !== NO_ROW) this.#bury(replaced);
    return { row, replaced };
  }

  /** @returns the row that died, or NO_ROW */
  delete(id: Uint8Array): number {
    this.indexIds();
    const row = this.#hash.delete(id);
    if (row !== NO_ROW) this.#bury(row);
    return row;
  }

  /** Takes back the next row as it was stored. A dead one is not found by its id. */
  restore(id: Uint8Array, position: number, isDead: boolean): void {
    const row = this.rowCount;
    this.#checkRoom(1);
    this.#ids.append(id, position);
    if (isDead) this.#bury(row);
  }

  /** Takes back the next rows from the payload of an id block, which is this table's from now on.
   *  @throws IsovecError CORRUPTION */
  restoreBlock(payload: Uint8Array, rowCount: number, file: string): void {
    this.#checkRoom(rowCount);
    this.#ids.take(payload, rowCount, file);
  }

  /** Of rows that have been taken back: they are not found by their ids. */
  restoreDeaths(rows: readonly number[]): void {
    for (const row of rows) if (this.isLive(row)) this.#bury(row);
  }

  /**
   * Sees to it that rows are found by their ids.
   * @param count rows at most
   * @returns whether it is done
   * @throws IsovecError CORRUPTION when two live rows have the same id
   */
  indexIds(count = Number.POSITIVE_INFINITY): boolean {
    if (this.#indexedCount === this.rowCount) return true;
    if (this.#indexedCount === 0) this.#hash.reserve(this.liveCount);
    for (let left = count; left > 0 && this.#indexedCount < this.rowCount; left--) {
      const row = this.#indexedCount;
      const before = this.#dead.has(row) ? NO_ROW : this.#hash.set(row);
      if (before !== NO_ROW)
        throw new IsovecError('CORRUPTION', `the id of row ${row} is that of another live row`, {
          details: { row },
        });
      this.#indexedCount++;
    }
    return this.#indexedCount === this.rowCount;
  }

  /** Live rows in insertion order. */
  rowsInOrder(): Uint32Array {
    const byPosition = new Uint32Array(this.rowCount).fill(NO_ROW);
    for (let row = 0; row < byPosition.length; row++)
      if (!this.#dead.has(row)) byPosition[this.position(row)] = row;
    let count = 0;
    for (const row of byPosition) if (row !== NO_ROW) byPosition[count++] = row;
    return byPosition.slice(0, count);
  }

  /** @throws IsovecError QUOTA_EXCEEDED */
  #checkRoom(count: number): void {
    if (this.rowCount + count > ROWS_MAX)
      throw new IsovecError('QUOTA_EXCEEDED', `a collection holds at most ${ROWS_MAX} rows`);
  }

  #bury(row: number): void {
    this.#dead.add(row);
    this.#deadCount++;
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * length);
  larger.set(bytes);
  return larger;
}

import { IsovecError } from '../base/errors.ts';
import { ROWS_MAX } from '../base/limits.ts';
import { Bitmap, ByteArena, Uint32Column } from './growable.ts';
import { IdHash, NO_ROW } from './id-hash.ts';

/**
 * Which id stands in which row. Rows are given out in order and never change; a replaced or deleted record leaves a
 * dead row behind until compaction renumbers.
 *
 * Every row has a position, its place in insertion order: its own number, or for a record that replaced another, the
 * position of the one it replaced.
 */
export class RowTable {
  readonly #arena = new ByteArena();
  /** Where each row's id starts in the arena; it ends where the next one starts. */
  readonly #starts = new Uint32Column();
  readonly #positions = new Uint32Column();
  readonly #dead = new Bitmap();
  readonly #hash = new IdHash((row) => this.idBytes(row));
  readonly #decoder = new TextDecoder();
  #deadCount = 0;

  /** Rows given out, dead ones included. */
  get rowCount(): number {
    return this.#starts.length;
  }

  get liveCount(): number {
    return this.rowCount - this.#deadCount;
  }

  get deadCount(): number {
    return this.#deadCount;
  }

  get memoryBytes(): number {
    return (
      this.#arena.memoryBytes +
      this.#starts.memoryBytes +
      this.#positions.memoryBytes +
      this.#dead.memoryBytes +
      this.#hash.memoryBytes
    );
  }

  /** @returns the live row of this id, or NO_ROW */
  find(id: Uint8Array): number {
    return this.#hash.find(id);
  }

  isLive(row: number): boolean {
    return row < this.rowCount && !this.#dead.has(row);
  }

  /** Which rows are dead now; later deaths do not reach the copy. */
  deadRows(): Bitmap {
    return this.#dead.copy();
  }

  idBytes(row: number): Uint8Array {
    const next = row + 1;
    const end = next < this.#starts.length ? this.#starts.get(next) : this.#arena.length;
    return this.#arena.view(this.#starts.get(row), end);
  }

  id(row: number): string {
    return this.#decoder.decode(this.idBytes(row));
  }

  position(row: number): number {
    return this.#positions.get(row);
  }

  /** Gives the id the next row. The row that it had, if any, dies and hands on its position.
   *  @returns the new row, and the one before or NO_ROW */
  put(id: Uint8Array): { row: number; replaced: number } {
    const row = this.rowCount;
    this.#checkRoom(id);
    const replaced = this.#hash.set(id, row);
    this.#push(id, replaced === NO_ROW ? row : this.position(replaced));
    if (replaced !== NO_ROW) this.#bury(replaced);
    return { row, replaced };
  }

  /** @returns the row that died, or NO_ROW */
  delete(id: Uint8Array): number {
    const row = this.#hash.delete(id);
    if (row !== NO_ROW) this.#bury(row);
    return row;
  }

  /** Takes back the next row as it was stored. A dead one is not found by its id. */
  restore(id: Uint8Array, position: number, isDead: boolean): void {
    const row = this.rowCount;
    this.#checkRoom(id);
    this.#push(id, position);
    if (isDead) this.#bury(row);
    else if (this.#hash.set(id, row) !== NO_ROW)
      throw new IsovecError('CORRUPTION', `the id of row ${row} is that of another live row`, {
        details: { row },
      });
  }

  /** Live rows in insertion order. */
  rowsInOrder(): Uint32Array {
    const byPosition = new Uint32Array(this.rowCount).fill(NO_ROW);
    for (let row = 0; row < byPosition.length; row++)
      if (!this.#dead.has(row)) byPosition[this.position(row)] = row;
    return byPosition.filter((row) => row !== NO_ROW);
  }

  /** @throws IsovecError QUOTA_EXCEEDED */
  #checkRoom(id: Uint8Array): void {
    // The arena's offsets are u32 as well, and its ids are at least one byte long.
    if (this.rowCount >= ROWS_MAX || this.#arena.length + id.length > ROWS_MAX)
      throw new IsovecError('QUOTA_EXCEEDED', `a collection holds at most ${ROWS_MAX} rows and bytes of ids`);
  }

  #push(id: Uint8Array, position: number): void {
    this.#starts.push(this.#arena.length);
    this.#arena.append(id);
    this.#positions.push(position);
  }

  #bury(row: number): void {
    this.#dead.add(row);
    this.#deadCount++;
  }
}

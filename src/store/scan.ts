import { IsovecError } from '../base/errors.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import type { CollectionState } from './collection-state.ts';
import type { RawRecord } from './rows-view.ts';

export interface ScannedRecord extends Partial<RawRecord> {
  id: string;
}

/** What is left of a scan, for whoever goes on with it: positions from `from` up to, not including, `end`. */
export interface ScanBounds {
  /** Of the collection: compaction gives out new positions. */
  epoch: number;
  from: number;
  end: number;
}

/**
 * Walks the records that were there when it began, in insertion order. What is deleted meanwhile is left out, what is
 * replaced is read as it is by then, what is added is not seen; so every record that was there all along comes once.
 */
export class Scan {
  readonly #state: CollectionState;
  readonly #parts: { body: boolean; vector: boolean };
  #rows: Uint32Array;
  #at = 0;

  /**
   * @param bounds goes on with another scan
   * @throws IsovecError ABORTED when the collection has been compacted since
   */
  constructor(state: CollectionState, parts: { body: boolean; vector: boolean }, bounds?: ScanBounds) {
    this.#state = state;
    this.#parts = parts;
    this.#rows = bounds ? rowsWithin(state, bounds) : state.rows.rowsInOrder();
    state.scans.add(this);
  }

  get bounds(): ScanBounds {
    const { rows, epoch } = this.#state;
    const left = this.#rows.subarray(this.#at);
    const next = left.find((row) => row !== NO_ROW);
    if (next === undefined) return { epoch, from: 0, end: 0 };
    const last = left.findLast((row) => row !== NO_ROW)!;
    return { epoch, from: rows.position(next), end: rows.position(last) + 1 };
  }

  /** @returns up to `count` records; none at the end */
  async next(count: number): Promise<ScannedRecord[]> {
    while (this.#at < this.#rows.length) {
      const rows = this.#take(count);
      if (rows.length === 0) continue;
      const ids = rows.map((row) => this.#state.rows.id(row));
      const records = await this.#state.read(rows, this.#parts);
      return records.map((record, index) => ({ ...record, id: ids[index]! }));
    }
    this.end();
    return [];
  }

  end(): void {
    this.#at = this.#rows.length;
    this.#state.scans.delete(this);
  }

  renumber(newRows: Uint32Array): void {
    this.#rows = this.#rows.subarray(this.#at).map((row) => {
      const current = this.#current(row);
      return current === NO_ROW ? NO_ROW : newRows[current]!;
    });
    this.#at = 0;
  }

  #take(count: number): number[] {
    const rows = Array.from(this.#rows.subarray(this.#at, this.#at + count), (row) => this.#current(row));
    this.#at += count;
    return rows.filter((row) => row !== NO_ROW);
  }

  /** The row in which the record stands by now. An id that was deleted and given again is another record. */
  #current(row: number): number {
    const { rows } = this.#state;
    if (row === NO_ROW || rows.isLive(row)) return row;
    const current = rows.find(rows.idBytes(row));
    return current !== NO_ROW && rows.position(current) === rows.position(row) ? current : NO_ROW;
  }
}

function rowsWithin({ name, rows, epoch }: CollectionState, bounds: ScanBounds): Uint32Array {
  if (bounds.epoch !== epoch)
    throw new IsovecError(
      'ABORTED',
      `the scan of "${name}" cannot go on: its writer has gone, after a compaction; scan again`,
      { details: { collection: name } },
    );
  return rows.rowsInOrder().filter((row) => {
    const position = rows.position(row);
    return position >= bounds.from && position < bounds.end;
  });
}

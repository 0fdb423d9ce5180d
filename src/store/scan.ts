import { IsovecError } from '../base/errors.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import type { CollectionState } from './collection-state.ts';
import { bodyMatches } from './matching.ts';
import type { RawRecord, RowsView } from './rows-view.ts';
import { Slices } from './slices.ts';

/** Records read, and asked, between looks at the clock. */
const ROWS_PER_STEP = 256;

export interface ScannedRecord extends Partial<RawRecord> {
  id: string;
}

/** What of which records is wanted. */
export interface WantedRecords {
  body: boolean;
  vector: boolean;
  filter: CompiledFilter | undefined;
  /** Lets others have a turn. */
  pause: () => Promise<void>;
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
 * A filter is asked of records as they are read.
 */
export class Scan {
  readonly #state: CollectionState;
  readonly #wanted: WantedRecords;
  #rows: Uint32Array;
  #at = 0;

  /**
   * @param bounds goes on with another scan
   * @throws IsovecError ABORTED when the collection has been compacted since
   */
  constructor(state: CollectionState, wanted: WantedRecords, bounds?: ScanBounds) {
    this.#state = state;
    this.#wanted = wanted;
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
    const records: ScannedRecord[] = [];
    // Whoever reads on without a filter has a turn between batches; with one, a batch may take long to fill.
    const slices = this.#wanted.filter && new Slices(this.#wanted.pause);
    while (records.length < count && this.#at < this.#rows.length) {
      if (slices?.isOver) await slices.rest();
      const rows = this.#take(Math.min(count - records.length, ROWS_PER_STEP));
      for (const each of await this.#state.view(rows, (view) => this.#read(rows, view))) records.push(each);
    }
    if (records.length === 0) this.end();
    return records;
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

  async #read(rows: readonly number[], view: RowsView): Promise<ScannedRecord[]> {
    const { body: isBodyWanted, vector, filter } = this.#wanted;
    const bodies = await view.read(rows, { body: isBodyWanted || filter !== undefined, vector: false });
    const matching = filter ? bodies.map(({ body }) => bodyMatches(body!, filter)) : undefined;
    const isFound = (_: unknown, at: number) => matching?.[at] ?? true;
    const found = rows.filter(isFound);
    const vectors = vector ? await view.vectors(found) : [];
    return bodies.filter(isFound).map(({ body }, at) => ({
      id: view.id(found[at]!),
      ...(isBodyWanted && { body: body! }),
      ...(vector && { vector: vectors[at]! }),
    }));
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
      { details: { by: 'writer', collection: name } },
    );
  return rows.rowsInOrder().filter((row) => {
    const position = rows.position(row);
    return position >= bounds.from && position < bounds.end;
  });
}

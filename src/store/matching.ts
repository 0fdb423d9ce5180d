/**
 * Which rows match a filter. A row's content never changes, so what has been found out of a row stays true for as long
 * as rows keep their numbers: asking again costs a look at what has been written since.
 */
import { checkNotAborted } from '../base/abort.ts';
import type { Condition } from '../filter/condition.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import { makeSets } from '../filter/value-set.ts';
import type { PayloadIndex } from '../payload/payload-index.ts';
import { anyRows } from '../payload/row-bounds.ts';
import { Bitmap } from '../tables/growable.ts';
import type { RowTable } from '../tables/row-table.ts';
import { decodeJson, parseMetadata } from './body.ts';
import { dropped } from './collection.ts';
import type { CollectionState } from './collection-state.ts';
import { MatchingRows } from './matching-rows.ts';
import { payloadOf, takeInNext } from './payload.ts';
import { Slices } from './slices.ts';

/** Filters of a collection that are remembered: a bit a row each, 1 MB in all for a million rows. */
const REMEMBERED_MAX = 8;
/** Records are asked between looks at the clock until they have been asked so many conditions. */
const CONDITIONS_PER_LOOK = 16;

/** So many rows that have come since are asked one by one: to look through the index's dictionaries takes longer. */
const ASKED_ALONE_MAX = 64;

/** Lets others have a turn. */
type Pause = () => Promise<void>;

/** The filters that a collection has been asked for lately. */
export class RememberedFilters {
  /** In order of use, the latest last. */
  readonly #filters = new Map<string, FilterRows>();

  get memoryBytes(): number {
    let bytes = 0;
    for (const { memoryBytes } of this.#filters.values()) bytes += memoryBytes;
    return bytes;
  }

  rowsOf(state: CollectionState, filter: CompiledFilter, pause: Pause): FilterRows {
    const { key } = filter;
    if (key === undefined) return new FilterRows(state, filter, pause);
    const rows = this.#filters.get(key) ?? new FilterRows(state, filter, pause);
    this.#filters.delete(key);
    this.#filters.set(key, rows);
    for (const [oldest] of this.#filters) {
      if (this.#filters.size <= REMEMBERED_MAX) break;
      this.#filters.delete(oldest);
    }
    return rows;
  }
}

class FilterRows {
  readonly #state: CollectionState;
  readonly #filter: CompiledFilter;
  readonly #slices: Slices;
  /** Whose rows the numbers are. */
  #table: RowTable;
  #matching = new Bitmap();
  /** Rows below have been asked. */
  #askedRow = 0;
  /** Of rows that the payload index has been asked for: those that must be asked themselves. */
  #undecided: { firstWord: number; endRow: number; words: Uint32Array } | undefined;
  /** Of a block of records that has been read, those that are still to be asked. */
  #held: { firstRow: number; bodies: Uint8Array[] } | undefined;
  #step: Promise<void> | undefined;
  /** Of the table when it had so many rows, and so many of them dead. */
  #live: { matching: MatchingRows; rowCount: number; deadCount: number } | undefined;
  readonly #rowsPerLook: number;
  #sets: Generator<void, void> | undefined;

  constructor(state: CollectionState, filter: CompiledFilter, pause: Pause) {
    this.#state = state;
    this.#filter = filter;
    this.#slices = new Slices(pause);
    this.#table = state.rows;
    this.#rowsPerLook = Math.ceil(CONDITIONS_PER_LOOK / countFields(filter.condition));
    this.#sets = makeSets(filter.condition);
  }

  get memoryBytes(): number {
    const live = this.#live?.matching.memoryBytes ?? 0;
    return this.#matching.memoryBytes + live + 2 * (this.#filter.key?.length ?? 0);
  }

  /** @param use is called in the turn in which every row has been asked */
  async find<T>(use: (matching: MatchingRows) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    for (;;) {
      checkNotAborted(signal);
      if (this.#state.isDropped) throw dropped(this.#state.name);
      this.#followRenumbering();
      const { rows } = this.#state;
      if (this.#askedRow === rows.rowCount) return use(this.#liveOf(rows));
      this.#step ??= this.#ask().finally(() => {
        this.#step = undefined;
      });
      await this.#step;
    }
  }

  /** The same for all that ask of one state: to leave out the dead takes 0.1 ms for a million rows. */
  #liveOf(rows: RowTable): MatchingRows {
    const { rowCount, deadCount } = rows;
    const live = this.#live;
    if (live?.rowCount === rowCount && live.deadCount === deadCount) return live.matching;
    const matching = new MatchingRows(this.#matching, rows.deadRows());
    this.#live = { matching, rowCount, deadCount };
    return matching;
  }

  #followRenumbering(): void {
    const { rows } = this.#state;
    if (this.#table === rows) return;
    this.#live = undefined;
    this.#table = rows;
    this.#matching = new Bitmap();
    this.#askedRow = 0;
    this.#undecided = undefined;
    this.#held = undefined;
  }

  /** Asks the payload index for many rows at once; and of others, and those it leaves open, the next: a block of those in
   *  files, or those in memory until the slice is over. */
  async #ask(): Promise<void> {
    if (this.#slices.isOver) await this.#slices.rest();
    this.#followRenumbering();
    while (this.#sets) {
      if (this.#sets.next().done) this.#sets = undefined;
      else if (this.#slices.isOver) return;
    }
    const { rows, files, tail } = this.#state;
    const index = this.#helpfulIndex();
    if (index && index.rowCount < rows.rowCount) return takeInNext(this.#state, index, this.#slices);
    if (index) this.#askIndex(index);
    while (this.#askedRow < rows.rowCount && !this.#isOpen(this.#askedRow)) this.#askedRow++;
    const first = this.#askedRow;
    if (first === rows.rowCount) return;
    if (first >= tail.firstRow) {
      for (let row = first; row < tail.endRow; row++) {
        if (row % this.#rowsPerLook === 0 && this.#slices.isOver) break;
        this.#askOne(row, this.#isOpen(row) ? tail.get(row)?.body : undefined);
      }
      return;
    }
    const held = this.#held;
    if (held && first >= held.firstRow && first < held.firstRow + held.bodies.length) {
      this.#askHeld(held);
      return;
    }
    const bodies = await files
      .read(() => files.bodiesFrom(first))
      .catch(async (error) => {
        // Once more alone, for an error that names the record.
        if (this.#state.rows === rows) await this.#state.read([first], { body: true, vector: false });
        throw error;
      });
    if (this.#state.rows !== rows) return;
    this.#held = { firstRow: first, bodies };
    this.#askHeld(this.#held);
  }

  /** Until the slice is over. */
  #askHeld({ firstRow, bodies }: { firstRow: number; bodies: Uint8Array[] }): void {
    const endRow = firstRow + bodies.length;
    for (let row = this.#askedRow; row < endRow; row++) {
      if (row % this.#rowsPerLook === 0 && this.#slices.isOver) return;
      this.#askOne(row, this.#isOpen(row) ? bodies[row - firstRow] : undefined);
    }
    this.#held = undefined;
  }

  /** @returns undefined where it knows of no field in the filter, or there is little to ask it for */
  #helpfulIndex(): PayloadIndex | undefined {
    const { rowCount } = this.#state.rows;
    const openFrom = Math.max(this.#askedRow, this.#undecided?.endRow ?? 0);
    if (openFrom > 0 && rowCount - openFrom <= ASKED_ALONE_MAX) return undefined;
    const index = payloadOf(this.#state);
    return index && index.fieldsOf(this.#filter.condition).indexedFields.length > 0 ? index : undefined;
  }

  #askIndex(index: PayloadIndex): void {
    const endRow = index.rowCount;
    const range = { firstWord: this.#askedRow >>> 5, endWord: Math.ceil(endRow / 32) };
    const { certain, possible } = index.find(this.#filter.condition, range) ?? anyRows(range);
    const words = possible.map((word, at) => word & ~certain[at]!);
    // Of the last 32 rows some may not be there yet.
    if (endRow % 32 > 0) certain[certain.length - 1]! &= 2 ** (endRow % 32) - 1;
    const matching = this.#matching.reserve(range.endWord);
    for (let at = 0; at < certain.length; at++) matching[range.firstWord + at]! |= certain[at]!;
    this.#undecided = { firstWord: range.firstWord, endRow, words };
  }

  /** Must the row be asked itself? */
  #isOpen(row: number): boolean {
    const undecided = this.#undecided;
    if (undecided && row < undecided.endRow) {
      const word = undecided.words[(row >>> 5) - undecided.firstWord]!;
      if ((word & (1 << (row & 31))) === 0) return false;
    }
    return this.#state.rows.isLive(row);
  }

  /** @param body undefined of a row that is not to be asked */
  #askOne(row: number, body: Uint8Array | undefined): void {
    if (body && bodyMatches(body, this.#filter)) this.#matching.add(row);
    this.#askedRow = row + 1;
  }
}

function countFields(condition: Condition): number {
  if (condition.kind === 'field') return 1;
  if (condition.kind === 'not') return countFields(condition.part);
  return condition.parts.reduce((count, part) => count + countFields(part), 1);
}

/** @param body as it is stored */
export function bodyMatches(body: Uint8Array, filter: CompiledFilter): boolean {
  const json = decodeJson(body);
  return filter.mayMatch(json) && filter.matches(parseMetadata(json));
}

/**
 * Calls `use` with the rows that match in the turn in which that is known of all rows: they are those of the state as it
 * is in that turn.
 */
export function withMatching<T>(
  state: CollectionState,
  filter: CompiledFilter,
  pause: Pause,
  use: (matching: MatchingRows) => T | Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  state.filters ??= new RememberedFilters();
  return state.filters.rowsOf(state, filter, pause).find(use, signal);
}

export function countMatching(state: CollectionState, filter: CompiledFilter, pause: Pause): Promise<number> {
  return withMatching(state, filter, pause, ({ count }) => count);
}

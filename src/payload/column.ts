/** What is known of one field, row by row. */
import type { Metadata } from '../base/api.ts';
import type { Test } from '../filter/condition.ts';
import type { RowBounds, WordRange } from './row-bounds.ts';

/** Rows of a page. Columns grow by pages: nothing is copied, and little is spare. */
export const PAGE_SHIFT = 13;
export const PAGE_ROWS = 1 << PAGE_SHIFT;
export const PAGE_WORDS = PAGE_ROWS / 32;

export interface Column {
  readonly memoryBytes: number;
  /** Takes in the next row. @param metadata undefined of one that is dead */
  push(metadata: Metadata | undefined): void;
  /** What a test takes before it is asked of rows: as many rows as could be looked at meanwhile. */
  looksOf(test: Test): number;
  /** Rows behind the last are in the answer as it comes. */
  select(test: Test, range: WordRange): RowBounds;
  /** Of rows from `firstRow` up to `endRow`. */
  encode(firstRow: number, endRow: number): Uint8Array<ArrayBuffer>;
  /** Takes in the next rows from what `encode` gave. @throws RangeError, SyntaxError for anything else */
  decode(bytes: Uint8Array, rowCount: number): void;
  /** The same rows in other places. @param oldRows of each new row, the one it was */
  renumbered(oldRows: Uint32Array): Column;
}

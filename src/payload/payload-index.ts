/**
 * What is known of some fields of a collection's records: a column each, by row. Rows never change, so columns only
 * grow; whoever has an index gives it the rows that it lacks.
 */
import type { FieldKind, Fields, Metadata } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import type { Condition } from '../filter/condition.ts';
import { CodeColumn } from './code-column.ts';
import type { Column } from './column.ts';
import { BYTES_PER_ROW } from './dictionary.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { DATES, NUMBERS } from './intervals.ts';
import { NumberColumn } from './number-column.ts';
import type { RowBounds, WordRange } from './row-bounds.ts';

const NO_ROW = 0xffff_ffff;

export class PayloadIndex {
  readonly fields: Fields;
  /** Its rows were to be read from this file, which could not be. */
  damagedFile: string | undefined;
  #columns: ReadonlyMap<string, Column>;
  #rowCount = 0;

  constructor(fields: Fields) {
    this.fields = fields;
    this.#columns = new Map(Object.entries(fields).map(([path, kind]) => [path, newColumn(path, kind)]));
  }

  /** Rows that it has taken in. */
  get rowCount(): number {
    return this.#rowCount;
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const { memoryBytes } of this.#columns.values()) bytes += memoryBytes;
    return bytes;
  }

  /** Takes in the next row. @param metadata undefined of one that is dead */
  push(metadata: Metadata | undefined): void {
    for (const column of this.#columns.values()) column.push(metadata);
    this.#rowCount++;
  }

  /** @returns undefined where it knows nothing of any row */
  find(condition: Condition, range: WordRange): RowBounds | undefined {
    return evaluate(condition, this.#evaluation(range));
  }

  /** Those of its fields that can help with a condition, and all others in it. */
  fieldsOf(condition: Condition): { indexedFields: string[]; unindexedFields: string[] } {
    const paths = [...pathsOf(condition)];
    return {
      indexedFields: paths.filter((path) => this.#columns.has(path)),
      unindexedFields: paths.filter((path) => !this.#columns.has(path)),
    };
  }

  /** Of rows from `firstRow` up to `endRow`: the columns' bytes, in the order of the fields. */
  encode(firstRow: number, endRow: number): Uint8Array<ArrayBuffer>[] {
    return Array.from(this.#columns.values(), (column) => column.encode(firstRow, endRow));
  }

  /** Takes in the next rows. @param columns as `encode` gave them @throws IsovecError CORRUPTION */
  decode(columns: readonly Uint8Array[], rowCount: number, file: string): void {
    try {
      for (const [at, column] of [...this.#columns.values()].entries()) column.decode(columns[at]!, rowCount);
    } catch (cause) {
      throw new IsovecError(
        'CORRUPTION',
        `${file}: rows from ${this.#rowCount} on cannot be read: ${cause}`,
        {
          details: { file },
          cause,
        },
      );
    }
    this.#rowCount += rowCount;
  }

  /** After a compaction: row r is now `newRows[r]`, or gone. It must have every row. */
  renumber(newRows: Uint32Array): void {
    let rowCount = 0;
    for (const row of newRows) if (row !== NO_ROW) rowCount++;
    const oldRows = new Uint32Array(rowCount);
    for (const [oldRow, row] of newRows.entries()) if (row !== NO_ROW) oldRows[row] = oldRow;
    this.#columns = new Map([...this.#columns].map(([path, column]) => [path, column.renumbered(oldRows)]));
    this.#rowCount = rowCount;
  }

  #evaluation(range: WordRange): Evaluation {
    return { columns: this.#columns, range, looksLeft: LOOKED_AT_MAX };
  }
}

/** Rows, times conditions, that one filter may look at: 150 ms. What it says beyond that, records are asked. */
const LOOKED_AT_MAX = 100_000_000;

/** At most, a page of rows and the first dictionary apart. */
export function bytesPerRow(kind: FieldKind): number {
  return BYTES_PER_ROW + (kind === 'number' || kind === 'date' ? 8 : 4);
}

function newColumn(path: string, kind: FieldKind): Column {
  switch (kind) {
    case 'keyword':
    case 'boolean':
      return new CodeColumn(path);
    case 'number':
      return new NumberColumn(path, NUMBERS);
    case 'date':
      return new NumberColumn(path, DATES);
  }
}

function pathsOf(condition: Condition, paths = new Set<string>()): Set<string> {
  if (condition.kind === 'field') paths.add(condition.path);
  else if (condition.kind === 'not') pathsOf(condition.part, paths);
  else for (const part of condition.parts) pathsOf(part, paths);
  return paths;
}

import { assert } from '../base/errors.ts';

export interface TailRecord {
  /** As in store/body.ts. */
  body: Uint8Array;
  vector: Float32Array;
  /** Of the vector, as in `vectorChecksum`, where it is known. */
  checksum: number | undefined;
}

/** Records newer than the last checkpoint: they are in the log, and held here whole until a checkpoint stores them. */
export class RecordTail {
  #firstRow: number;
  #records: (TailRecord | undefined)[] = [];
  #memoryBytes = 0;

  constructor(firstRow: number) {
    this.#firstRow = firstRow;
  }

  /** Rows from here on are in the tail. */
  get firstRow(): number {
    return this.#firstRow;
  }

  get endRow(): number {
    return this.#firstRow + this.#records.length;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** @param record undefined for a row that is dead already */
  push(row: number, record: TailRecord | undefined): void {
    assert(row === this.endRow, `row ${row} is not the next of the tail, ${this.endRow}`);
    this.#records.push(record);
    if (record) this.#memoryBytes += sizeOf(record);
  }

  /** @returns undefined for a row that is dead */
  get(row: number): TailRecord | undefined {
    return this.#records[row - this.#firstRow];
  }

  /** All of them, from `firstRow`; later changes do not reach the copy. */
  records(): (TailRecord | undefined)[] {
    return this.#records.slice();
  }

  /** Lets go of a row that has died. */
  forget(row: number): void {
    const record = this.get(row);
    if (!record) return;
    this.#memoryBytes -= sizeOf(record);
    this.#records[row - this.#firstRow] = undefined;
  }

  /** Lets go of the rows below `row`: they are stored now. */
  advance(row: number): void {
    for (const record of this.#records.splice(0, row - this.#firstRow))
      if (record) this.#memoryBytes -= sizeOf(record);
    this.#firstRow = row;
  }
}

/** Of the objects that hold a record, in V8. */
const RECORD_OVERHEAD_BYTES = 250;

function sizeOf(record: TailRecord): number {
  return record.body.byteLength + record.vector.byteLength + RECORD_OVERHEAD_BYTES;
}

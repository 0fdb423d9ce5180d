/**
 * Rows that were live when the view was made, to be read in one's own time: what dies meanwhile, and compaction, change
 * nothing of it.
 */
import type { Awaitable } from '../base/awaitable.ts';
import { IsovecError } from '../base/errors.ts';
import type { RecordTail, TailRecord } from '../tables/record-tail.ts';
import type { RowTable } from '../tables/row-table.ts';
import type { CollectionFiles } from './collection-files.ts';

/** A record as it is stored. The metadata stays encoded until somebody wants it. */
export type RawRecord = TailRecord;

/** Of what a view is made. */
export interface ViewedState {
  rows: RowTable;
  files: CollectionFiles;
  tail: Pick<RecordTail, 'firstRow' | 'get'>;
}

export class RowsView {
  readonly #table: RowTable;
  readonly #files: CollectionFiles;
  /** What is in the tail is taken at once. Left out where nothing is. */
  #tail: Map<number, TailRecord> | undefined;

  /** @param rows live ones */
  constructor(rows: ArrayLike<number>, { rows: table, files, tail }: ViewedState) {
    this.#table = table;
    this.#files = files;
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      if (row < tail.firstRow) continue;
      this.#tail ??= new Map();
      this.#tail.set(row, tail.get(row)!);
    }
  }

  id(row: number): string {
    return this.#table.id(row);
  }

  /** Of some of the rows. */
  ids(rows: ArrayLike<number>): string[] {
    return this.#table.idsOf(rows);
  }

  /** Of some of the rows. @throws IsovecError CORRUPTION naming file, offset and id */
  async vectors(rows: readonly number[]): Promise<Float32Array[]> {
    const inFiles = rows.filter((row) => !this.#tail?.has(row));
    const read = inFiles.length > 0 ? await this.#vectorsOf(inFiles) : [];
    let at = 0;
    return rows.map((row) => this.#tail?.get(row)?.vector ?? read[at++]!);
  }

  /** What is wanted of some of the rows. @throws IsovecError CORRUPTION naming file, offset and id */
  read(rows: ArrayLike<number>, parts: { body: boolean; vector: boolean }): Awaitable<Partial<RawRecord>[]> {
    const records: Partial<RawRecord>[] = [];
    const waiting: Promise<void>[] = [];
    const inFiles: { row: number; record: Partial<RawRecord> }[] = [];
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      const inTail = this.#tail?.get(row);
      const record: Partial<RawRecord> = { ...inTail };
      records.push(record);
      if (inTail) continue;
      inFiles.push({ row, record });
      const body = parts.body ? this.#body(row) : undefined;
      if (body instanceof Promise) waiting.push(body.then((read) => setBody(record, read)));
      else if (body) record.body = body;
    }
    if (parts.vector && inFiles.length > 0) waiting.push(this.#readVectors(inFiles));
    return waiting.length > 0 ? Promise.all(waiting).then(() => records) : records;
  }

  #body(row: number): Awaitable<Uint8Array> {
    const fail = (error: unknown) => {
      throw naming(error, this.id(row));
    };
    try {
      const body = this.#files.body(row);
      return body instanceof Promise ? body.catch(fail) : body;
    } catch (error) {
      return fail(error);
    }
  }

  async #readVectors(wanted: readonly { row: number; record: Partial<RawRecord> }[]): Promise<void> {
    const vectors = await this.#vectorsOf(wanted.map(({ row }) => row));
    for (const [at, { record }] of wanted.entries()) record.vector = vectors[at]!;
  }

  async #vectorsOf(rows: readonly number[]): Promise<Float32Array<ArrayBuffer>[]> {
    try {
      return await this.#files.vectorsOf(rows);
    } catch (error) {
      // One by one, to find out which it is.
      for (const row of rows)
        await this.#files.vectorsOf([row]).catch((reason) => {
          throw naming(reason, this.id(row));
        });
      throw error;
    }
  }
}

function setBody(record: Partial<RawRecord>, body: Uint8Array): void {
  record.body = body;
}

/** What is damaged is named by the record that was wanted. */
function naming(error: unknown, id: string): unknown {
  if (!(error instanceof IsovecError) || error.code !== 'CORRUPTION') return error;
  const details = { ...error.details, id };
  return new IsovecError(error.code, `the record "${id}" cannot be read: ${error.message}`, {
    details,
    cause: error,
  });
}

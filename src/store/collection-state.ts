import type { CollectionInfo } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import { RecordTail, type TailRecord } from '../tables/record-tail.ts';
import type { RowTable } from '../tables/row-table.ts';
import type { RecordExtent } from '../tables/rows-file.ts';
import type { CollectionFiles } from './collection-files.ts';
import { publicConfig, type ResolvedConfig } from './config.ts';
import type { StoredCollection } from './manifest-state.ts';
import type { PutOperation, RecordOperation } from './operations.ts';

/** A record as it is stored. The metadata stays encoded until somebody wants it. */
export type RawRecord = TailRecord;

export interface CollectionParts {
  rows: RowTable;
  files: CollectionFiles;
  index: VectorIndex;
}

/** What is committed, of one collection: the only place where rows, tail, files and index are changed together. */
export class CollectionState {
  readonly id: number;
  readonly name: string;
  readonly config: ResolvedConfig;
  /** Goes up when compaction renumbers the rows. */
  epoch: number;
  rows: RowTable;
  files: CollectionFiles;
  tail: RecordTail;
  index: VectorIndex;
  /** Steps that the graph has taken since its image was written. */
  graphSteps = 0;
  /** Rows that have died since the last checkpoint, in order: the next one stores them. */
  deaths: number[] = [];
  isDropped = false;
  /** Scans under way: compaction renumbers what they have yet to read. */
  readonly scans = new Set<{ renumber(newRows: Uint32Array): void }>();

  constructor(id: number, name: string, config: ResolvedConfig, epoch: number, parts: CollectionParts) {
    this.id = id;
    this.name = name;
    this.config = config;
    this.epoch = epoch;
    this.rows = parts.rows;
    this.files = parts.files;
    this.index = parts.index;
    this.tail = new RecordTail(parts.rows.rowCount);
  }

  get memoryBytes(): number {
    return this.rows.memoryBytes + this.tail.memoryBytes + this.files.memoryBytes + this.index.memoryBytes;
  }

  info(): CollectionInfo {
    const count = this.rows.liveCount;
    return {
      name: this.name,
      config: publicConfig(this.config),
      count,
      // A flat index has no graph to wait for.
      indexed: this.config.index.type === 'flat' ? count : count - this.index.pendingCount,
      garbage: this.rows.deadCount,
    };
  }

  /** A checkpoint that somebody else has made: what it stored is in files now. @param extents the new ones */
  adopt({ rowCount, deadCount }: StoredCollection, extents: readonly RecordExtent[]): void {
    this.files.addExtents(extents);
    if (rowCount > this.tail.firstRow) this.tail.advance(rowCount);
    this.deaths.splice(0, this.deaths.length - (this.rows.deadCount - deadCount));
  }

  /** The same collection as it was loaded anew, its rows in other numbers. */
  become({ rows, files, tail, index, epoch, deaths, graphSteps }: CollectionState): void {
    if (this.scans.size > 0) {
      const newRows = new Uint32Array(this.rows.rowCount).fill(NO_ROW);
      for (let row = 0; row < newRows.length; row++)
        if (this.rows.isLive(row)) newRows[row] = rows.find(this.rows.idBytes(row));
      for (const scan of this.scans) scan.renumber(newRows);
    }
    Object.assign(this, { rows, files, tail, index, epoch, deaths, graphSteps });
  }

  /** Takes in one committed operation. */
  apply(operation: RecordOperation): void {
    const dead = operation.kind === 'put' ? this.#put(operation) : this.rows.delete(operation.id);
    if (dead === NO_ROW) return;
    this.deaths.push(dead);
    this.index.remove(dead);
    if (dead >= this.tail.firstRow) this.tail.forget(dead);
  }

  /**
   * The records of rows that are live now. What is in the tail is taken at once, so rows that die while files are
   * being read do no harm.
   * @throws IsovecError CORRUPTION naming file, offset and id
   */
  read(rows: ArrayLike<number>, parts: { body: boolean; vector: boolean }): Promise<Partial<RawRecord>[]> {
    const { files, tail, rows: table } = this;
    const bodyOf = (row: number): Uint8Array | Promise<Uint8Array> => {
      const fail = (error: unknown) => {
        throw naming(error, table.id(row));
      };
      try {
        const body = files.body(row);
        return body instanceof Promise ? body.catch(fail) : body;
      } catch (error) {
        return fail(error);
      }
    };
    return files.read(async () => {
      const records: Partial<RawRecord>[] = [];
      const waiting: Promise<void>[] = [];
      const inFiles: { row: number; record: Partial<RawRecord> }[] = [];
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        const record: Partial<RawRecord> = { ...tail.get(row) };
        records.push(record);
        if (row >= tail.firstRow) continue;
        inFiles.push({ row, record });
        const body = parts.body ? bodyOf(row) : undefined;
        if (body instanceof Promise) waiting.push(body.then((read) => setBody(record, read)));
        else if (body) record.body = body;
      }
      if (parts.vector && inFiles.length > 0) waiting.push(readVectors(files, table, inFiles));
      if (waiting.length > 0) await Promise.all(waiting);
      return records;
    });
  }

  /** @returns the row that died, or NO_ROW */
  #put({ id, body, vector, checksum }: PutOperation): number {
    const { row, replaced } = this.rows.put(id);
    this.tail.push(row, { body, vector, checksum });
    this.index.add(row, vector);
    return replaced;
  }
}

function setBody(record: Partial<RawRecord>, body: Uint8Array): void {
  record.body = body;
}

async function readVectors(
  files: CollectionFiles,
  table: RowTable,
  wanted: readonly { row: number; record: Partial<RawRecord> }[],
): Promise<void> {
  try {
    const vectors = await files.vectorsOf(wanted.map(({ row }) => row));
    for (const [at, { record }] of wanted.entries()) record.vector = vectors[at]!;
  } catch (error) {
    // One by one, to find out which it is.
    for (const { row } of wanted)
      await files.vectorsOf([row]).catch((reason) => {
        throw naming(reason, table.id(row));
      });
    throw error;
  }
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

/**
 * Compaction writes a collection that has dead rows anew, without them and in insertion order, while everything goes
 * on. What it copies is the state at its start; what is written and deleted meanwhile is taken in behind it, and at the
 * end by the checkpoint that makes the new files the truth. So writers wait for it no longer than for any checkpoint.
 *
 * A copied row that has died since stands in the new files as a dead one, because a record that replaced it takes over
 * its position. The old files are the truth until the manifest names the new ones; the graph stays as it is, only its
 * labels change.
 */
import { assert } from '../base/errors.ts';
import type { LiveFile } from '../journal/manifest.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import { RecordTail } from '../tables/record-tail.ts';
import { RowTable } from '../tables/row-table.ts';
import { RowsAppender } from './append-rows.ts';
import type { StoredSnapshot, StoreSnapshot } from './checkpoint.ts';
import type { CollectionFiles } from './collection-files.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { growingFileNames, type StoredSegment } from './manifest-state.ts';
import { payloadOf, renumberPayload, takeIn } from './payload.ts';
import type { RawRecord } from './rows-view.ts';

/** Records copied at a time: a few MB of them, whatever the collection's size. */
const ROWS_PER_STEP = 1024;

/** One collection being written anew. */
export class Rewriting {
  readonly state: CollectionState;
  readonly #engine: Engine;
  /** What was live at the start, in insertion order: the first becomes row 0, and so on. */
  readonly #copied: Uint32Array;
  /** Rows from here on came later; they follow the copied ones. */
  readonly #firstAppended: number;
  readonly #rows = new RowTable();
  readonly #files: CollectionFiles;
  readonly #appender: RowsAppender;
  /** Old rows below this are in the new table. */
  #takenRow: number;
  /** New rows that have died, and are not stored as dead yet. */
  #deaths: number[] = [];
  #isTruth = false;

  constructor(engine: Engine, state: CollectionState) {
    const { id, epoch, config, rows } = state;
    this.state = state;
    this.#engine = engine;
    this.#copied = rows.rowsInOrder();
    this.#firstAppended = this.#takenRow = rows.rowCount;
    const names = growingFileNames(id, epoch + 1);
    this.#files = engine.createFiles(names, config);
    this.#appender = new RowsAppender(engine, { id, epoch: epoch + 1, config }, this.#files, {});
  }

  /** Rows that the new files are without, once the manifest names them. */
  get droppedCount(): number {
    return this.#isTruth ? this.#firstAppended - this.#copied.length : 0;
  }

  /** Copies what was there at the start, and then what has come since, until little is left. */
  async copy(onCopied: (rows: number) => void): Promise<void> {
    for (let start = 0; start < this.#copied.length && !this.state.isDropped; start += ROWS_PER_STEP) {
      const step = this.#copied.subarray(start, start + ROWS_PER_STEP);
      const records = await this.#read(step);
      for (const row of step) this.#rows.put(this.state.rows.idBytes(row));
      await this.#appender.append(this.#rows, start, records);
      onCopied(step.length);
    }
    while (this.state.rows.rowCount - this.#takenRow > ROWS_PER_STEP && !this.state.isDropped) {
      const endRow = this.#takenRow + ROWS_PER_STEP;
      await this.#appendUpTo(endRow, await this.#read(range(this.#takenRow, endRow)));
    }
  }

  /** As for every collection at a checkpoint: notes what is to be stored, with writers standing still. */
  note(): StoreSnapshot {
    const { rows, tail, config } = this.state;
    const endRow = rows.rowCount;
    if (config.text) this.state.storing = tail.records();
    const dead = rows.deadRows();
    const records = this.#read(range(this.#takenRow, endRow));
    // Its failure is seen when it is awaited, unless something else fails first.
    records.catch(() => undefined);
    return async (live) => {
      await this.#appendUpTo(endRow, await records);
      this.#bury((row) => dead.has(row));
      return this.#store(live);
    };
  }

  /** Removes what has been written, unless it has become the truth. What cannot be removed, the next open sweeps up. */
  async abandon(): Promise<void> {
    if (this.#isTruth) return;
    try {
      await this.#files.close();
      for (const name of Object.values(this.#files.names)) await this.#engine.storage.remove(name);
    } catch {
      // The reason for abandoning is the one to report.
    }
  }

  /** The records of rows that are live by now. */
  async #read(rows: Uint32Array): Promise<(RawRecord | undefined)[]> {
    const live = rows.filter((row) => this.state.rows.isLive(row));
    const records = (await this.state.read(live, { body: true, vector: true })) as RawRecord[];
    let at = 0;
    return Array.from(rows, (row) => (live[at] === row ? records[at++] : undefined));
  }

  async #appendUpTo(endRow: number, records: (RawRecord | undefined)[]): Promise<void> {
    const firstRow = this.#rows.rowCount;
    for (; this.#takenRow < endRow; this.#takenRow++) this.#take(this.#takenRow);
    await this.#appender.append(this.#rows, firstRow, records);
  }

  /** Gives the next new row to the record of an old one. */
  #take(oldRow: number): void {
    const { rows } = this.state;
    const id = rows.idBytes(oldRow);
    // In its own position it is new: whatever had the id before was deleted, and hands nothing on.
    if (rows.position(oldRow) === oldRow) this.#delete(id);
    const { row, replaced } = this.#rows.put(id);
    if (replaced !== NO_ROW) this.#deaths.push(replaced);
    assert(row === this.#newRow(oldRow), `row ${oldRow} became ${row}`);
  }

  /** Of a row that came after the start. */
  #newRow(oldRow: number): number {
    return oldRow - this.#firstAppended + this.#copied.length;
  }

  /** @param isDead of an old row */
  #bury(isDead: (oldRow: number) => boolean): void {
    const bury = (oldRow: number, row: number) => {
      if (isDead(oldRow) && this.#rows.isLive(row)) this.#delete(this.#rows.idBytes(row));
    };
    for (let row = 0; row < this.#copied.length; row++) bury(this.#copied[row]!, row);
    for (let oldRow = this.#firstAppended; oldRow < this.#takenRow; oldRow++)
      bury(oldRow, this.#newRow(oldRow));
  }

  #delete(id: Uint8Array): void {
    const dead = this.#rows.delete(id);
    if (dead !== NO_ROW) this.#deaths.push(dead);
  }

  async #store(live: Record<string, LiveFile>): Promise<StoredSnapshot> {
    const { id, name, config, epoch, files: oldFiles } = this.state;
    const { names } = this.#files;
    const payload = payloadOf(this.state);
    // In files there may be rows that it lacks; the rest is in memory when they are renumbered.
    if (payload) await takeIn(this.state, payload, this.state.rows.rowCount, this.#engine.pause);
    const { rowCount, deadCount } = this.#rows;
    if (rowCount > 0) {
      const { files, extents } = await this.#appender.finish(this.#deaths);
      Object.assign(live, files);
      this.#files.addExtents(extents);
    }
    this.#deaths = [];
    const text = await this.#storeText(live);
    return {
      collection: {
        id,
        name,
        config,
        epoch: epoch + 1,
        rowCount,
        files: names,
        deadCount,
        ...(text && { text }),
      },
      finish: () => {
        this.#swap();
        this.state.storedText = text;
        this.state.text = undefined;
        this.state.storing = undefined;
      },
      release: async () => {
        await oldFiles.close();
        if (this.state.isDropped) await this.#files.close();
      },
    };
  }

  /** What is known of texts, in the new numbers. */
  async #storeText(live: Record<string, LiveFile>): Promise<StoredSegment[] | undefined> {
    const { rowCount } = this.#rows;
    if (!this.state.config.text || rowCount === 0) return undefined;
    const { storeRenumbered } = await import('./text/on-demand.ts');
    const newRows = this.#newRows(this.#takenRow);
    const rowOf = (row: number) => (newRows[row] === NO_ROW ? -1 : newRows[row]!);
    return storeRenumbered(this.#engine, this.state, { endRow: this.#takenRow, rowCount, rowOf }, live);
  }

  /** Of old rows up to `endRow`, the new ones; NO_ROW for those that are left behind. */
  #newRows(endRow: number): Uint32Array {
    const newRows = new Uint32Array(endRow).fill(NO_ROW);
    for (let row = 0; row < this.#copied.length; row++) newRows[this.#copied[row]!] = row;
    for (let row = this.#firstAppended; row < endRow; row++) newRows[row] = this.#newRow(row);
    return newRows;
  }

  /** The manifest names the new files: so does memory. What was written since it was noted goes on in the tail. */
  #swap(): void {
    const { state } = this;
    const oldRows = state.rows;
    const tail = new RecordTail(this.#rows.rowCount);
    for (; this.#takenRow < oldRows.rowCount; this.#takenRow++) {
      this.#take(this.#takenRow);
      tail.push(this.#newRow(this.#takenRow), state.tail.get(this.#takenRow));
    }
    this.#bury((row) => !oldRows.isLive(row));
    const newRows = this.#newRows(oldRows.rowCount);
    for (const scan of state.scans) scan.renumber(newRows);
    renumberPayload(state, newRows);
    state.rows = this.#rows;
    state.files = this.#files;
    state.tail = tail;
    state.deaths.length = 0;
    for (const row of this.#deaths) state.deaths.push(row);
    state.epoch++;
    state.index.renumberAll(newRows);
    // The image went with the old numbers; it is worth writing as soon as there is a graph.
    state.graphSteps += state.index.count;
    this.#isTruth = true;
  }
}

function range(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: end - start }, (_, index) => start + index);
}

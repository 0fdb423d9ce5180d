/**
 * The terms of a collection's texts, by row: segments that checkpoints have stored, then what came later, in memory. A
 * row's content never changes, so nothing that has been found out of a row ever does. What is there is read when it is
 * first wanted, and what is damaged is made anew from the records.
 */

import { checkNotAborted } from '../../base/abort.ts';
import { ByteWriter } from '../../base/bytes.ts';
import { errorCodeOf, IsovecError } from '../../base/errors.ts';
import { DATA_HEADER_BYTES } from '../../tables/data-header.ts';
import type { RowTable } from '../../tables/row-table.ts';
import { Analyzer } from '../../text/analyzer.ts';
import type { TextStatistics } from '../../text/bm25.ts';
import { MemorySegment } from '../../text/memory-segment.ts';
import { mergeSegments } from '../../text/merge-segments.ts';
import { Ranker } from '../../text/rank.ts';
import { Segment } from '../../text/segment.ts';
import { SegmentWriter } from '../../text/segment-writer.ts';
import { textOf } from '../body.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Engine } from '../engine.ts';
import type { StoredSegment } from '../manifest-state.ts';
import { Slices } from '../slices.ts';
import { openSegment } from './open-segment.ts';
import { TextLengths } from './text-lengths.ts';

export type Part = Segment | MemorySegment;

/** Postings in memory as objects, of 20 bytes and more; when there are more they are packed, to two or three. */
const LOOSE_POSTINGS_MAX = 1_000_000;
/** Rows taken in between looks at the clock. */
const ROWS_PER_LOOK = 8;
/** A longer text is taken in with turns for others in between, in UTF-16 units: 3 ms. */
const LONG_TEXT_UNITS = 32_768;
/** Of bodies: so much is taken in within a query's turn. */
const TURN_BYTES_MAX = 65_536;

export class TextIndex {
  readonly analyzer: Analyzer;
  /** Room for scores, which every query uses in its turn. */
  readonly ranker = new Ranker();
  readonly lengths = new TextLengths();
  readonly #engine: Engine;
  readonly #state: CollectionState;
  /** Whose rows the numbers are. */
  readonly #table: RowTable;
  readonly #slices: Slices;
  /** By rows, ascending and without gaps. The last is in memory, and takes in what comes. */
  #parts: Part[] = [];
  /** Those of the parts that are stored. */
  #stored = new Map<Segment, StoredSegment>();
  #memory = new MemorySegment(0);
  /** A row is being taken in, and turns of others come in between. */
  #isWithinRow = false;
  #opening: Promise<void> | undefined;
  #step: Promise<void> | undefined;
  /** Readers of segments. */
  readonly #reading = new Set<Promise<unknown>>();

  constructor(engine: Engine, state: CollectionState) {
    this.#engine = engine;
    this.#state = state;
    this.#table = state.rows;
    this.#slices = new Slices(engine.pause);
    this.analyzer = new Analyzer(state.config.text!.language);
  }

  /** Do rows still have the numbers that they have here? */
  get isCurrent(): boolean {
    return this.#state.text === this && this.#state.rows === this.#table;
  }

  get parts(): readonly Part[] {
    return this.#parts;
  }

  /** Rows below are in it. */
  get endRow(): number {
    return this.#memory.endRow;
  }

  /** The last of the parts. */
  get memory(): MemorySegment {
    return this.#memory;
  }

  get memoryBytes(): number {
    let bytes = this.lengths.memoryBytes + this.ranker.memoryBytes;
    for (const part of this.#parts) bytes += part.memoryBytes;
    return bytes;
  }

  /** Of the rows that live. */
  statistics(): TextStatistics {
    return this.lengths.statistics(this.#table);
  }

  storedOf(part: Part): StoredSegment | undefined {
    return part instanceof Segment ? this.#stored.get(part) : undefined;
  }

  /** Reads what is stored, once. */
  ready(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Takes in rows up to here, letting others have turns. @throws IsovecError CORRUPTION naming a damaged record, ABORTED */
  async catchUp(endRow: () => number, signal?: AbortSignal): Promise<void> {
    await this.ready();
    while (this.isCurrent && this.endRow < endRow()) {
      this.#step ??= this.#take().finally(() => {
        this.#step = undefined;
      });
      await this.#step;
      checkNotAborted(signal);
    }
  }

  /**
   * Takes in the rest, of which all is in memory, in this turn.
   * @param isAnyhow however much it is
   * @returns false where it is not in memory, or too much
   */
  takeRest(isAnyhow: boolean): boolean {
    const { tail } = this.#state;
    if (!this.isCurrent || this.#isWithinRow || this.endRow < tail.firstRow) return false;
    let bytes = 0;
    for (let row = this.endRow; row < tail.endRow; row++) bytes += tail.get(row)?.body.length ?? 0;
    if (bytes > TURN_BYTES_MAX && !isAnyhow) return false;
    for (let row = this.endRow; row < tail.endRow; row++) this.#add(tail.get(row)?.body);
    return true;
  }

  /** Lets others have a turn, if it is time. */
  rest(): Promise<void> | undefined {
    return this.#slices.isOver ? this.#slices.rest() : undefined;
  }

  /** What `read` reads of stays until it is done. */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    const reading = read();
    this.#reading.add(reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(reading);
    }
  }

  /** Resolves when nobody reads what had been there at the call. */
  async whenRead(): Promise<void> {
    await Promise.allSettled(this.#reading);
  }

  /** What is stored from this row on is damaged, or gone: it is made anew from the records. @throws what is no damage */
  startOver(row: number, error: unknown): void {
    if (!isDamage(error)) throw error;
    const intact = [...this.#stored].filter(([{ endRow }]) => endRow <= row);
    this.#become(new Map(intact));
    this.#warn(error);
  }

  /** These are stored; what is behind them is taken in again when it is wanted. */
  replaceStored(segments: readonly { segment: Segment; stored: StoredSegment }[]): void {
    this.#become(new Map(segments.map(({ segment, stored }) => [segment, stored])));
  }

  async #open(): Promise<void> {
    const { storedText = [], files, tail } = this.#state;
    const opened = new Map<Segment, StoredSegment>();
    let damage: unknown;
    // An attempt before may have failed half-way.
    this.lengths.truncate(0);
    try {
      for (const stored of storedText) {
        const segment = await openSegment(files, stored);
        this.lengths.take(await segment.readLengths());
        opened.set(segment, stored);
      }
    } catch (error) {
      damage = error;
    }
    if (damage !== undefined && !isDamage(damage)) {
      this.#opening = undefined;
      throw damage;
    }
    this.#become(opened);
    if (damage !== undefined) this.#warn(damage);
    else if (this.endRow < tail.firstRow) this.#warn(notThere(this.endRow, tail.firstRow));
  }

  #warn(error: unknown): void {
    this.#engine.events.emit('warning', {
      code: errorCodeOf(error),
      message: `the text index of "${this.#state.name}" is being made anew: ${error}`,
    });
  }

  #become(stored: Map<Segment, StoredSegment>): void {
    const segments = [...stored.keys()];
    const endRow = segments.at(-1)?.endRow ?? 0;
    this.#memory = new MemorySegment(endRow);
    this.lengths.truncate(endRow);
    this.#parts = [...segments, this.#memory];
    this.#stored = stored;
  }

  /** Takes in the next rows: a block of those in files, or those in memory until the slice is over. */
  async #take(): Promise<void> {
    await this.#slices.rest();
    const { rows, files, tail } = this.#state;
    while (this.endRow < tail.firstRow && !rows.isLive(this.endRow)) this.#add(undefined);
    const first = this.endRow;
    if (first < tail.firstRow) {
      const bodies = await files
        .read(() => files.bodiesFrom(first))
        .catch(async (error) => {
          // Once more alone, for an error that names the record.
          if (this.isCurrent) await this.#state.read([first], { body: true, vector: false });
          throw error;
        });
      if (!this.isCurrent || this.endRow !== first) return;
      for (const body of bodies) {
        const added = this.#addInTurns(body);
        // What has been read goes on where this has stopped, if it still does.
        if (added && (!(await added) || !this.isCurrent)) return;
      }
    } else
      for (let row = first; row < tail.endRow; row++) {
        if (row % ROWS_PER_LOOK === 0 && this.#slices.isOver) break;
        const added = this.#addInTurns(this.#bodyInMemory(row));
        if (added) {
          await added;
          // A checkpoint may have put the next rows into files.
          return;
        }
      }
    if (this.#memory.postingsCount > LOOSE_POSTINGS_MAX) await this.#pack();
  }

  /** Also of a row that has died since a checkpoint began: should its death be lost, the checkpoint is not. */
  #bodyInMemory(row: number): Uint8Array | undefined {
    const { tail, storing } = this.#state;
    return (tail.get(row) ?? storing?.[row - tail.firstRow])?.body;
  }

  #add(body: Uint8Array | undefined): void {
    this.#addText(body && textOf(body));
  }

  #addText(text: string | undefined): void {
    this.lengths.push(this.#memory.add(text, this.analyzer));
  }

  /** @returns undefined where it has been done in this turn; else whether it is of use still */
  #addInTurns(body: Uint8Array | undefined): Promise<boolean> | undefined {
    const text = body && textOf(body);
    if (text && text.length > LONG_TEXT_UNITS) return this.#addLong(text);
    this.#addText(text);
    return undefined;
  }

  async #addLong(text: string): Promise<boolean> {
    const memory = this.#memory;
    const words = this.analyzer.read(text);
    let length = 0;
    this.#isWithinRow = true;
    try {
      for (;;) {
        const { count, isAll } = memory.addWords(words);
        length += count;
        if (isAll) break;
        const rested = this.rest();
        if (rested) await rested;
        if (this.#memory !== memory) return false;
      }
    } finally {
      this.#isWithinRow = false;
    }
    this.lengths.push(length);
    return true;
  }

  /** Others go on with a new one meanwhile. */
  async #pack(): Promise<void> {
    const full = this.#memory;
    this.#memory = new MemorySegment(full.endRow);
    this.#parts.push(this.#memory);
    const rows = { firstRow: full.firstRow, rowCount: full.endRow - full.firstRow };
    const file = new ByteWriter().raw(new Uint8Array(DATA_HEADER_BYTES));
    const writer = new SegmentWriter(rows, async (bytes) => {
      file.raw(bytes);
    });
    await mergeSegments({ sources: [full], endRow: full.endRow, rest: () => this.rest() }, writer);
    await writer.finish(this.lengths.slice(full.firstRow, full.endRow));
    const bytes = file.bytes().slice();
    const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
    const packed = await Segment.open({ name: 'a segment in memory', bytes: bytes.length, read }, rows);
    this.#parts = this.#parts.map((part) => (part === full ? packed : part));
  }
}

function notThere(endRow: number, wanted: number): IsovecError {
  return new IsovecError('CORRUPTION', `it reaches to row ${endRow} of ${wanted} stored ones`);
}

/** What is derived is made anew after it. */
export function isDamage(error: unknown): boolean {
  return error instanceof IsovecError && ['CORRUPTION', 'FORMAT_VERSION', 'NOT_FOUND'].includes(error.code);
}

import type { CollectionInfo } from '../base/api.ts';
import type { Awaitable } from '../base/awaitable.ts';
import type { PayloadIndex } from '../payload/payload-index.ts';
import { ComponentSample } from '../search/component-sample.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import { RecordTail } from '../tables/record-tail.ts';
import type { RowTable } from '../tables/row-table.ts';
import type { RecordExtent } from '../tables/rows-file.ts';
import type { CollectionFiles } from './collection-files.ts';
import type { ResolvedConfig } from './config.ts';
import type { StoredPages } from './graph-pages.ts';
import type { StoredCollection, StoredSegment } from './manifest-state.ts';
import type { RememberedFilters } from './matching.ts';
import { type ConfigChange, changedConfig, type PutOperation, type RecordOperation } from './operations.ts';
import { type RawRecord, RowsView } from './rows-view.ts';
import type { TextIndex } from './text/text-index.ts';

export interface CollectionParts {
  rows: RowTable;
  files: CollectionFiles;
  index: VectorIndex;
}

/** What is committed, of one collection: the only place where rows, tail, files and index are changed together. */
export class CollectionState {
  readonly id: number;
  readonly name: string;
  config: ResolvedConfig;
  /** Goes up when compaction renumbers the rows. */
  epoch: number;
  rows: RowTable;
  files: CollectionFiles;
  tail: RecordTail;
  index: VectorIndex;
  /** Is to take the place of `index`, and so follows every change. */
  nextIndex: VectorIndex | undefined;
  /** Of what has come lately, where codes are made that must fit it. */
  sample: ComponentSample | undefined;
  /** Which rows match filters that were asked for lately. */
  filters: RememberedFilters | undefined;
  /** Of a collection with text, once it has been asked for. */
  text: TextIndex | undefined;
  /** What of it is in files. */
  storedText: StoredSegment[] | undefined;
  /** What a checkpoint is storing of the tail: all that it held from its first row on. */
  storing: readonly (RawRecord | undefined)[] | undefined;
  /** Of fields that are indexed, once they are wanted or have been read. */
  payload: PayloadIndex | undefined;
  /** Steps that the graph has taken since its image was written. */
  graphSteps = 0;
  /** Which pages of its image are stored, once any are. */
  graphPages: StoredPages | undefined;
  /** While its image is being stored, the graph stands still. */
  isGraphHeld = false;
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
    const index = this.index.memoryBytes + (this.nextIndex?.memoryBytes ?? 0);
    const derived =
      (this.filters?.memoryBytes ?? 0) +
      (this.graphPages?.memoryBytes ?? 0) +
      (this.text?.memoryBytes ?? 0) +
      (this.payload?.memoryBytes ?? 0);
    return this.rows.memoryBytes + this.tail.memoryBytes + this.files.memoryBytes + index + derived;
  }

  info(): CollectionInfo {
    const count = this.rows.liveCount;
    // A copy that callers may change.
    const config = structuredClone(this.config);
    return {
      name: this.name,
      config: { ...config, index: { engine: 'isovec', ...config.index } },
      count,
      // A flat index has no graph to wait for.
      indexed: this.config.index.type === 'flat' ? count : count - this.index.pendingCount,
      garbage: this.rows.deadCount,
    };
  }

  /** A checkpoint that somebody else has made: what it stored is in files now. @param extents the new ones */
  adopt({ rowCount, deadCount, text }: StoredCollection, extents: readonly RecordExtent[]): void {
    const { text: index } = this;
    const gone = this.textFilesBeside(text);
    this.storedText = text;
    this.text = undefined;
    // Nobody waits for it: what cannot be closed is closed with the rest.
    void (index?.whenRead() ?? Promise.resolve()).then(() => this.files.letGo(gone)).catch(() => {});
    this.files.addExtents(extents);
    if (rowCount > this.tail.firstRow) this.tail.advance(rowCount);
    this.deaths.splice(0, this.deaths.length - (this.rows.deadCount - deadCount));
  }

  /** Files of its texts that are not among these. */
  textFilesBeside(segments: readonly StoredSegment[] = []): string[] {
    const kept = segments.map(({ file }) => file);
    return (this.storedText ?? []).map(({ file }) => file).filter((file) => !kept.includes(file));
  }

  /** Makes room for the vectors of so many more records. @throws IsovecError QUOTA_EXCEEDED; nothing is changed then */
  reserve(count: number): void {
    this.index.reserve(count);
    this.nextIndex?.reserve(count);
  }

  configure(change: ConfigChange): void {
    this.config = changedConfig(this.config, change);
  }

  /** Takes in one committed operation. */
  apply(operation: RecordOperation): void {
    const dead = operation.kind === 'put' ? this.#put(operation) : this.rows.delete(operation.id);
    if (dead === NO_ROW) return;
    this.deaths.push(dead);
    this.index.remove(dead);
    this.nextIndex?.remove(dead);
    if (dead >= this.tail.firstRow) this.tail.forget(dead);
  }

  /** The records of rows that are live now. @throws IsovecError CORRUPTION naming file, offset and id */
  read(rows: ArrayLike<number>, parts: { body: boolean; vector: boolean }): Awaitable<Partial<RawRecord>[]> {
    return this.view(rows, (view) => view.read(rows, parts));
  }

  /** Looks at rows that are live now; what they are now is there until `look` is done. */
  view<T>(rows: ArrayLike<number>, look: (view: RowsView) => Promise<T>): Promise<T>;
  view<T>(rows: ArrayLike<number>, look: (view: RowsView) => Awaitable<T>): Awaitable<T>;
  view<T>(rows: ArrayLike<number>, look: (view: RowsView) => Awaitable<T>): Awaitable<T> {
    const view = new RowsView(rows, this);
    return this.files.read(() => look(view));
  }

  /** @returns the row that died, or NO_ROW */
  #put({ id, body, vector, checksum }: PutOperation): number {
    const { row, replaced } = this.rows.put(id);
    this.tail.push(row, { body, vector, checksum });
    this.index.add(row, vector);
    this.nextIndex?.add(row, vector);
    if (this.config.quantization === 'int8') {
      this.sample ??= new ComponentSample(this.config.metric);
      this.sample.add(vector);
    }
    return replaced;
  }
}

/**
 * Durable opaque bytes: entries in a log, files that a manifest names, and the way back to both after a crash.
 *
 *  - `append()` puts an entry into the log; recovery delivers it again, in order, until a checkpoint covers it.
 *  - A checkpoint is: `rotate()`, write and flush data files, `commitCheckpoint()`. Up to the last step a crash leaves
 *    the old manifest and the whole log, and the half-written files are swept away by the next open.
 */
import { areEqual } from '../base/bytes.ts';
import { assert, IsovecError } from '../base/errors.ts';
import type { SharedCell, StorageBackend } from '../storage/storage.ts';
import { AppendLog } from './append-log.ts';
import { createFirstSegment, findOrphans } from './creation.ts';
import type { Deliver, Payload } from './frame.ts';
import { type LogPosition, positionBehind } from './log-position.ts';
import {
  decodeManifest,
  encodeManifest,
  type LiveFile,
  MANIFEST_COPY_NAME,
  MANIFEST_NAME,
  type Manifest,
  manifestMissing,
  olderThanCopy,
} from './manifest.ts';
import { loadManifestCopy, type ManifestCopy } from './manifest-copy.ts';
import type * as Replaying from './replay.ts';
import { removeSegments, SEGMENT_HEADER_BYTES, type SegmentSummary } from './segment.ts';
import {
  decodeWatermark,
  durableSequence,
  readWatermark,
  type Watermark,
  watermarkOf,
  writeWatermark,
} from './watermark.ts';

export interface JournalOptions {
  durability: 'strict' | 'relaxed';
  syncIntervalMs: number;
  /** As in AppendLogOptions. */
  segmentBytesMax: number;
  segmentAgeMaxMs: number;
  readOnly: boolean;
  /** Whether an empty place becomes a database. */
  create: boolean;
  /** Recovery found something worth telling. */
  onWarning: (message: string) => void;
  /** A write failed, and every entry not yet committed with it. Called before their promises reject. */
  onFailed: () => void;
  /** Every entry up to this sequence is on the device. */
  onFlushed: (sequence: number) => void;
}

export interface LogStatistics {
  segments: number;
  bytes: number;
  entries: number;
  oldestEntryTime?: number;
  lastSequence: number;
}

export class Journal<State> {
  readonly #storage: StorageBackend;
  readonly #options: JournalOptions;
  #manifest: Manifest<State>;
  /** Undefined until replayed; for good when read-only. */
  #log: AppendLog | undefined;
  /** Where reading ended; `#log`, once there, knows better. */
  #position: LogPosition;
  /** Where others see how far the log can be relied on. */
  readonly #watermark: SharedCell | undefined;
  /** The watermark as it was looked at last, and what it says. */
  #glanced: Uint8Array | undefined;
  #glancedAt: Watermark | undefined;
  #isNew = false;
  /** The manifest's copy as it was found. */
  readonly #copyFound: ManifestCopy<State>;

  private constructor(
    storage: StorageBackend,
    options: JournalOptions,
    manifest: Manifest<State>,
    copyFound: ManifestCopy<State>,
  ) {
    this.#storage = storage;
    this.#options = options;
    this.#manifest = manifest;
    this.#position = positionBehind(manifest.coveredSequence);
    this.#watermark = watermarkOf(storage);
    this.#copyFound = copyFound;
  }

  /**
   * Reads the manifest; `replay()` must follow.
   * @param initialState of a database that is not there yet
   * @throws IsovecError NOT_FOUND for an empty place when none may be made, CORRUPTION, FORMAT_VERSION
   */
  static async open<State>(
    storage: StorageBackend,
    initialState: State,
    options: JournalOptions,
  ): Promise<Journal<State>> {
    // The copy first: a writer replaces it last, so it can only be newer when the manifest is damaged.
    const copy = await loadManifestCopy<State>(storage);
    const bytes = await storage.load(MANIFEST_NAME);
    if (bytes) {
      const manifest = decodeManifest<State>(bytes);
      if (copy.manifest && copy.manifest.generation > manifest.generation) throw olderThanCopy();
      return new Journal(storage, options, manifest, copy);
    }
    const orphans = await findOrphans(storage);
    if (orphans.length > 0) throw manifestMissing(orphans);
    if (!options.create)
      throw new IsovecError('NOT_FOUND', 'there is no isovec database here, and none may be made');
    await createFirstSegment(storage);
    const manifest = { generation: 0, coveredSequence: 0, writtenAt: 0, files: {}, state: initialState };
    const journal = new Journal(storage, options, manifest, copy);
    await journal.#replaceManifest(manifest, () => {});
    journal.#isNew = true;
    return journal;
  }

  /** The place was empty. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /**
   * For a database that cannot be opened otherwise. The log as it is stays as it is, and is not replayed; what is written
   * goes behind it, so first a checkpoint must cover it.
   * @param lastSequence the newest that can have been given out
   */
  static salvaged<State>(
    storage: StorageBackend,
    manifest: Manifest<State>,
    lastSequence: number,
    options: JournalOptions,
  ): Journal<State> {
    const journal = new Journal(storage, options, manifest, {});
    journal.#position = positionBehind(lastSequence);
    if (!options.readOnly) journal.#log = new AppendLog(storage, journal.#position, options);
    return journal;
  }

  get state(): State {
    return this.#manifest.state;
  }

  get files(): Readonly<Record<string, LiveFile>> {
    return this.#manifest.files;
  }

  /** Of the manifest: one more with each checkpoint. */
  get generation(): number {
    return this.#manifest.generation;
  }

  get coveredSequence(): number {
    return this.#manifest.coveredSequence;
  }

  get writtenAt(): number {
    return this.#manifest.writtenAt;
  }

  get lastSequence(): number {
    return this.#log?.lastSequence ?? this.#position.nextSequence - 1;
  }

  /** Bytes of log that the next open would replay. */
  get tailBytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Entries that the next open would replay. */
  get tailEntries(): number {
    return this.lastSequence - this.#manifest.coveredSequence;
  }

  /**
   * Delivers every entry that the manifest does not cover, oldest first; then the journal takes new ones.
   * @param replaying replay.ts, which is wanted this once
   * @throws IsovecError CORRUPTION where an entry that was promised is damaged or missing
   */
  async replay(
    { replayLog, sweep }: typeof Replaying,
    deliver: Deliver,
    onProgress: (done: number, total: number) => void,
  ): Promise<void> {
    const { coveredSequence } = this;
    // In a new place it was left by another database.
    const options = { ...this.#options, durable: this.#isNew ? 0 : this.durableSequence };
    this.#position = await replayLog(this.#storage, coveredSequence, options, deliver, onProgress);
    if (this.#options.readOnly) return;
    // What a killed process wrote and did not flush is counted on from now on.
    await this.#position.segment?.file.flush();
    this.#log = new AppendLog(this.#storage, this.#position, this.#options);
    await this.#mendCopy();
    await sweep(this.#storage, this.files, this.#position);
  }

  /** Has somebody else appended or made a checkpoint, as far as is known without the lock? Takes 2 us, once a millisecond of a turn. */
  get isBehind(): boolean {
    const cell = this.#watermark;
    if (!cell) return false;
    const bytes = cell.glance?.() ?? cell.read();
    if (bytes !== this.#glanced) {
      this.#glanced = bytes;
      this.#glancedAt = decodeWatermark(bytes);
    }
    const watermark = this.#glancedAt;
    if (!watermark) return false;
    return watermark.generation !== this.generation || watermark.sequence > this.lastSequence;
  }

  /** Tells the others how far this one has come. Everything up to there is durable. @param generation of a manifest to look for */
  announce(generation = this.generation): void {
    if (!this.#watermark || this.#options.readOnly) return;
    writeWatermark(this.#watermark, {
      generation,
      sequence: this.#log?.flushedSequence ?? this.lastSequence,
    });
  }

  /** How far the others have come, as they have announced. */
  get announced(): Watermark | undefined {
    return this.#watermark && readWatermark(this.#watermark);
  }

  /** Entries up to this sequence are known to have been on the device. */
  get durableSequence(): number {
    return durableSequence(this.#watermark, this.generation);
  }

  /** Where reading goes on, or writing. */
  get position(): LogPosition {
    return this.#log?.position ?? this.#position;
  }

  /** Goes on from there, by a manifest that covers nothing but what has been delivered. */
  moveTo(position: LogPosition, manifest: Manifest<State> = this.#manifest): void {
    this.#manifest = manifest;
    this.#position = position;
    this.#log?.moveTo(position);
  }

  /** As AppendLog.append. */
  append(payload: Payload, onCommitted: (sequence: number) => void): Promise<number> {
    return this.#writer().append(payload, onCommitted);
  }

  drain(): Promise<void> {
    return this.#writer().drain();
  }

  flush(): Promise<void> {
    return this.#writer().flush();
  }

  /** Ends the segment. @returns the last sequence before the next one: what a checkpoint made now covers */
  async rotate(): Promise<number> {
    return this.#writer().rotate();
  }

  /**
   * Makes the given files the truth up to `coveredSequence`; they have been flushed.
   * @param onReplaced called at once when the manifest has been replaced, even if its durability is in doubt and this
   *        fails: memory must say from then on what the manifest says
   * @returns names of data files that are obsolete; the caller removes them once nobody reads them any more
   */
  async commitCheckpoint(
    coveredSequence: number,
    files: Record<string, LiveFile>,
    state: State,
    onReplaced: () => void,
  ): Promise<string[]> {
    const obsolete = Object.keys(this.#manifest.files).filter((name) => !(name in files));
    const manifest = {
      generation: this.#manifest.generation + 1,
      coveredSequence,
      writtenAt: Date.now(),
      files,
      state,
    };
    // Before it is there: should this process die in between, others look for it, and not find it.
    this.announce(manifest.generation);
    await this.#replaceManifest(manifest, onReplaced);
    this.#writer().forget(coveredSequence);
    return obsolete;
  }

  /** Removes the segments that the last checkpoint covers. */
  async removeCovered(): Promise<void> {
    await removeSegments(this.#storage, (firstSequence) => firstSequence <= this.coveredSequence);
  }

  statistics(): LogStatistics {
    const segments = this.#segments;
    const entries = this.tailEntries;
    return {
      segments: segments.length,
      bytes: this.tailBytes,
      entries,
      lastSequence: this.lastSequence,
      ...(entries > 0 && segments[0] && { oldestEntryTime: segments[0].firstTime }),
    };
  }

  async close(): Promise<void> {
    await (this.#log ?? this.#position.segment?.file)?.close();
  }

  get #segments(): readonly SegmentSummary[] {
    const { segment, sealed } = this.#position;
    return (
      this.#log?.segments ?? (segment && segment.bytes > SEGMENT_HEADER_BYTES ? [...sealed, segment] : sealed)
    );
  }

  #writer(): AppendLog {
    assert(this.#log, 'the journal is read-only or has not been replayed');
    return this.#log;
  }

  /**
   * A replacement may fail when it has been made already and only its durability is in doubt (a folder that cannot be
   * synced). It is in place then, and is made once more. Going on from the old one instead would let the next
   * checkpoint write over what the new one names.
   */
  async #replaceManifest(manifest: Manifest<State>, onReplaced: () => void): Promise<void> {
    const bytes = encodeManifest(manifest);
    const adopt = () => {
      this.#manifest = manifest;
      onReplaced();
    };
    try {
      await this.#storage.replace(MANIFEST_NAME, bytes);
      adopt();
    } catch (error) {
      const found = await this.#storage.load(MANIFEST_NAME).catch(() => undefined);
      if (!found || !areEqual(found, bytes)) throw error;
      adopt();
      await this.#storage.replace(MANIFEST_NAME, bytes);
    }
    await this.#replaceCopy();
  }

  /** The manifest is there already, so a failure costs redundancy only, until the next one. */
  async #replaceCopy(): Promise<void> {
    try {
      await this.#storage.replace(MANIFEST_COPY_NAME, encodeManifest(this.#manifest));
    } catch (error) {
      this.#options.onWarning(`${MANIFEST_COPY_NAME}: not written, so the manifest has no copy: ${error}`);
    }
  }

  /** A crash between the two replacements leaves the copy behind; damage is worth telling. */
  async #mendCopy(): Promise<void> {
    const { manifest, damage } = this.#copyFound;
    if (manifest && manifest.generation >= this.generation) return;
    if (damage) this.#options.onWarning(`${damage.message}; it is being made again`);
    await this.#replaceCopy();
  }
}

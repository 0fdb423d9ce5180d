/**
 * Durable opaque bytes: entries in a log, files that a manifest names, and the way back to both after a crash.
 *
 *  - `append()` puts an entry into the log; recovery delivers it again, in order, until a checkpoint covers it.
 *  - A checkpoint is: `rotate()`, write and flush data files, `commitCheckpoint()`. Up to the last step a crash leaves
 *    the old manifest and the whole log, and the half-written files are swept away by the next open.
 */
import { assert, IsovecError } from '../base/errors.ts';
import type { StorageBackend, StorageFile } from '../storage/storage.ts';
import { AppendLog } from './append-log.ts';
import type { Frame } from './frame.ts';
import {
  decodeManifest,
  encodeManifest,
  type LiveFile,
  MANIFEST_COPY_NAME,
  MANIFEST_NAME,
  type Manifest,
} from './manifest.ts';
import { loadManifestCopy, type ManifestCopy } from './manifest-copy.ts';
import { parseSegmentName, readSegment, type SegmentSummary, segmentName } from './segment.ts';

/** Names of data files start so; the sweep touches nothing else, least of all what is not ours. */
export const DATA_FILE_PREFIX = 'data-';

export interface JournalOptions {
  durability: 'strict' | 'relaxed';
  syncIntervalMs: number;
  /** As in AppendLogOptions. */
  segmentBytesMax: number;
  segmentAgeMaxMs: number;
  readOnly: boolean;
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

interface OpenSegment extends SegmentSummary {
  file: StorageFile;
}

export class Journal<State> {
  readonly #storage: StorageBackend;
  readonly #options: JournalOptions;
  #manifest: Manifest<State>;
  /** Undefined until replay has found where to go on; for good when read-only. */
  #log: AppendLog | undefined;
  /** Segments as replay found them; from then on `#log` knows. */
  #found: SegmentSummary[] = [];
  #lastSequence: number;
  #lastTime = 0;
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
    this.#lastSequence = manifest.coveredSequence;
    this.#copyFound = copyFound;
  }

  /**
   * Reads the manifest; `replay()` must follow.
   * @param initialState of a database that is not there yet
   * @throws IsovecError NOT_FOUND for an empty place when read-only, CORRUPTION, FORMAT_VERSION
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
    const orphans = (await storage.list()).filter(
      (name) =>
        name === MANIFEST_COPY_NAME ||
        name.startsWith(DATA_FILE_PREFIX) ||
        parseSegmentName(name) !== undefined,
    );
    if (orphans.length > 0)
      throw new IsovecError('CORRUPTION', `${MANIFEST_NAME}: missing, though ${orphans[0]} is there`, {
        details: { file: MANIFEST_NAME, found: orphans },
      });
    if (options.readOnly)
      throw new IsovecError('NOT_FOUND', 'there is no isovec database here, and readOnly creates none');
    const manifest = { generation: 0, coveredSequence: 0, writtenAt: 0, files: {}, state: initialState };
    const journal = new Journal(storage, options, manifest, copy);
    await journal.#replaceManifest(manifest, () => {});
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
    return this.#log?.lastSequence ?? this.#lastSequence;
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
   * @throws IsovecError CORRUPTION where an entry that was promised is damaged or missing
   */
  async replay(
    deliver: (entry: Frame) => void,
    onProgress: (done: number, total: number) => void,
  ): Promise<void> {
    const segments = await this.#openSegments();
    let current: OpenSegment | undefined;
    try {
      current = await this.#replaySegments(segments, deliver, onProgress);
      if (this.#options.readOnly) current = undefined;
    } finally {
      for (const segment of segments) if (segment !== current) await segment.file.close();
    }
    this.#found = segments.filter((segment) => segment !== current && segment.bytes > 0);
    if (this.#options.readOnly) return;
    this.#log = new AppendLog(
      this.#storage,
      {
        nextSequence: this.#lastSequence + 1,
        lastTime: this.#lastTime,
        sealed: this.#found,
        ...(current && { segment: current }),
      },
      this.#options,
    );
    await this.#mendCopy();
    await this.#sweep(segments);
  }

  /** As AppendLog.append. */
  append(payload: Uint8Array, onCommitted: (sequence: number) => void): Promise<number> {
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
    await this.#replaceManifest(manifest, onReplaced);
    this.#writer().forget(coveredSequence);
    return obsolete;
  }

  /** Removes the segments that the last checkpoint covers. */
  async removeCovered(): Promise<void> {
    await this.#removeSegments((firstSequence) => firstSequence <= this.coveredSequence);
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
    await this.#log?.close();
  }

  get #segments(): readonly SegmentSummary[] {
    return this.#log?.segments ?? this.#found;
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

  async #openSegments(): Promise<OpenSegment[]> {
    const firstSequences = (await this.#storage.list())
      .map(parseSegmentName)
      .filter((sequence) => sequence !== undefined)
      .sort((a, b) => a - b);
    // A segment is covered when the one behind it starts no later than the first sequence that is wanted.
    const wanted = this.coveredSequence + 1;
    const needed = firstSequences.filter((_, index) => (firstSequences[index + 1] ?? Infinity) > wanted);
    const segments: OpenSegment[] = [];
    for (const firstSequence of needed) {
      const file = await this.#storage.open(segmentName(firstSequence));
      segments.push({ firstSequence, file, bytes: await file.size(), firstTime: 0 });
    }
    return segments;
  }

  /** @returns the newest segment, cut to its intact frames, if writing can go on in it */
  async #replaySegments(
    segments: OpenSegment[],
    deliver: (entry: Frame) => void,
    onProgress: (done: number, total: number) => void,
  ): Promise<OpenSegment | undefined> {
    const total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    let expected = this.coveredSequence + 1;
    let last: OpenSegment | undefined;
    for (const [index, segment] of segments.entries()) {
      const isLast = index === segments.length - 1;
      if (segment.firstSequence > expected) throw this.#gap(expected, segment.firstSequence);
      const end = await readSegment(segment.file, segment.firstSequence, isLast, (frame) => {
        done += frame.payload.length;
        if (segment.firstTime === 0) segment.firstTime = frame.time;
        this.#lastTime = frame.time;
        if (frame.sequence < expected) return;
        deliver(frame);
        onProgress(done, total);
      });
      expected = Math.max(expected, end.nextSequence);
      if (end.tornBytes > 0) await this.#cutTail(segment, end.validBytes, end.tornBytes);
      segment.bytes = end.validBytes;
      if (isLast && end.nextSequence === expected) last = segment;
    }
    this.#lastSequence = expected - 1;
    return last;
  }

  async #cutTail(segment: OpenSegment, validBytes: number, tornBytes: number): Promise<void> {
    this.#options.onWarning(
      `${segment.file.name}: cut off ${tornBytes} bytes at byte ${validBytes}, a write that never finished`,
    );
    if (this.#options.readOnly) return;
    await segment.file.truncate(validBytes);
    await segment.file.flush();
  }

  #gap(expected: number, found: number): IsovecError {
    const file = segmentName(expected);
    return new IsovecError('CORRUPTION', `${file}: missing; the log goes on at sequence ${found}`, {
      details: { file, expected, found },
    });
  }

  /** Removes what an interrupted checkpoint left: data files that no manifest names, segments wholly covered. */
  async #sweep(needed: OpenSegment[]): Promise<void> {
    for (const name of await this.#storage.list())
      if (name.startsWith(DATA_FILE_PREFIX) && !(name in this.files)) await this.#storage.remove(name);
    await this.#removeSegments((sequence) => !needed.some(({ firstSequence }) => firstSequence === sequence));
  }

  async #removeSegments(isObsolete: (firstSequence: number) => boolean): Promise<void> {
    for (const name of await this.#storage.list()) {
      const firstSequence = parseSegmentName(name);
      if (firstSequence !== undefined && isObsolete(firstSequence)) await this.#storage.remove(name);
    }
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function olderThanCopy(): IsovecError {
  return new IsovecError(
    'CORRUPTION',
    `${MANIFEST_NAME}: older than its copy, so its newest content is lost`,
    {
      details: { file: MANIFEST_NAME, offset: 0 },
    },
  );
}

/**
 * The log's writing end. Entries that arrive while a flush is under way share the next one ("group commit"), so
 * throughput does not hang on the device's flush time and one waiting writer pays one flush.
 *
 * Invariants:
 *  - Frames reach the file in order of sequence, and `onCommitted` is called in that order, each once.
 *  - One write is under way at a time; the next starts only when it is flushed (strict), so a crash can tear only
 *    frames that nobody has been promised.
 *  - A segment that is full or old is flushed and ended before the next write, so only the newest can be torn.
 *  - Times of frames never go back, whatever the clock does: restoring to a time finds one place in the log.
 *  - When a write fails, everything not yet committed fails with it, and the file is cut back to the last good frame.
 *  - When that fails too, or a flush does, the segment is in doubt: whatever comes next must mend it first, so the log
 *    goes on by itself when space returns. Bytes that a failed flush may have dropped are written again, for a second
 *    flush alone would not bring them back (fsync reports an error once, and forgets the pages).
 */
import { ByteWriter } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';
import { Mutex } from '../base/mutex.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { FRAME_HEADER_BYTES, type Payload, writeFrame } from './frame.ts';
import type { LogPosition, OpenSegment } from './log-position.ts';
import { createSegment, readSegment, SEGMENT_HEADER_BYTES, type SegmentSummary } from './segment.ts';

/** Entries of one write. More would only delay the first of them: at 1 GB/s this is 8 ms. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

/** The buffer of a write is used again unless it is larger: a new one costs more to get than to fill. */
const KEPT_BUFFER_BYTES_MAX = 1024 * 1024;

/** What is read and written again at a time after a failed flush. */
const REWRITE_PIECE_BYTES = 4 * 1024 * 1024;

export interface AppendLogOptions {
  durability: 'strict' | 'relaxed';
  /** Between flushes under 'relaxed'. */
  syncIntervalMs: number;
  /** A segment that has grown to this is ended before the next write. */
  segmentBytesMax: number;
  /** And one whose first frame is this old. */
  segmentAgeMaxMs: number;
  /** Called, before the entries' promises reject, when a write has failed and all uncommitted entries are gone. */
  onFailed: () => void;
  /** Called when everything up to this sequence is on the device. */
  onFlushed: (sequence: number) => void;
}

interface Entry {
  payload: Payload;
  sequence: number;
  onCommitted: (sequence: number) => void;
  resolve: (sequence: number) => void;
  reject: (reason: unknown) => void;
}

export class AppendLog {
  readonly #storage: StorageBackend;
  readonly #options: AppendLogOptions;
  #waiting: Entry[] = [];
  /** What is being written. */
  #buffer = new ByteWriter();
  /** Without any bytes it was found as somebody had begun to make it, and must be made. */
  #segment: OpenSegment | undefined;
  /** Of the segment's bytes, those known to be on the device. */
  #flushedBytes = 0;
  #sealed: SegmentSummary[] = [];
  #lastTime = 0;
  #nextSequence = 1;
  /** Of the newest frame in the file. */
  #writtenSequence = 0;
  /** Of the newest frame known to be on the device. */
  #flushedSequence = 0;
  #working: Promise<void> | undefined;
  /** The segment may end in more than its frames, or lack some that were not flushed. */
  #isInDoubt = false;
  /** Held by whoever touches the segment. */
  readonly #file = new Mutex();
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(storage: StorageBackend, position: LogPosition, options: AppendLogOptions) {
    this.#storage = storage;
    this.#options = options;
    this.moveTo(position);
  }

  /** Of the newest committed entry. */
  get lastSequence(): number {
    return this.#writtenSequence;
  }

  /** Of the newest entry known to be on the device. */
  get flushedSequence(): number {
    return this.#flushedSequence;
  }

  /** Those that hold anything, oldest first. */
  get segments(): readonly SegmentSummary[] {
    const segment = this.#segment;
    return segment && this.#hasFrames(segment) ? [...this.#sealed, segment] : this.#sealed;
  }

  /** Where the next entry goes. Nothing may be under way. */
  get position(): LogPosition {
    return {
      nextSequence: this.#nextSequence,
      lastTime: this.#lastTime,
      sealed: this.#sealed,
      ...(this.#segment && { segment: this.#segment }),
    };
  }

  /** Others have written meanwhile, and flushed it: writing goes on behind that. Nothing may be under way. */
  moveTo({ segment, sealed, lastTime, nextSequence }: LogPosition): void {
    // What is in doubt of the same file stays so.
    this.#isInDoubt &&= segment?.file === this.#segment?.file;
    if (!this.#isInDoubt) this.#flushedBytes = segment?.bytes ?? 0;
    this.#segment = segment;
    this.#sealed = sealed;
    this.#lastTime = lastTime;
    this.#nextSequence = nextSequence;
    this.#writtenSequence = this.#flushedSequence = nextSequence - 1;
  }

  /** A checkpoint covers everything up to this sequence: the segments with it are no longer counted. */
  forget(coveredSequence: number): void {
    this.#sealed = this.#sealed.filter(({ firstSequence }) => firstSequence > coveredSequence);
  }

  /**
   * @param onCommitted called synchronously, in order of sequence, once the entry is durable ('strict') or written
   *        ('relaxed'), before the promise resolves
   * @returns the entry's sequence
   */
  append(payload: Payload, onCommitted: (sequence: number) => void): Promise<number> {
    const sequence = this.#nextSequence++;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ payload, sequence, onCommitted, resolve, reject });
      this.#work();
    });
  }

  /** Resolves when everything appended so far is committed (or has failed). */
  async drain(): Promise<void> {
    while (this.#working) await this.#working;
  }

  /** Resolves when everything appended so far is on the device. */
  async flush(): Promise<void> {
    await this.drain();
    await this.#file.run(() => this.#flushWritten());
  }

  /**
   * Ends the current segment, flushed, unless it has no frames. The next one is on the device when this resolves.
   * @returns the last sequence before it
   */
  async rotate(): Promise<number> {
    await this.drain();
    return this.#file.run(async () => {
      await this.#flushWritten();
      if (!this.#segment?.bytes || this.#hasFrames(this.#segment)) await this.#nextSegment();
      return this.#writtenSequence;
    });
  }

  /** Flushes and lets go of the file. Fails if what was acknowledged could not be flushed. */
  async close(): Promise<void> {
    try {
      await this.drain();
      // What has never been acknowledged, and could not be cut off, is no reason to fail.
      if (this.#flushedSequence < this.#writtenSequence) await this.flush();
    } finally {
      this.#isClosed = true;
      clearTimeout(this.#timer);
      await this.#segment?.file.close();
      this.#segment = undefined;
    }
  }

  #work(): void {
    this.#working ??= this.#writeAll().finally(() => {
      this.#working = undefined;
      if (this.#waiting.length > 0) this.#work();
    });
  }

  async #writeAll(): Promise<void> {
    // Callers that append in the same turn share the first group too.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#file.run(() => this.#write(group));
      } catch (error) {
        await this.#fail(group, error);
        continue;
      }
      for (const entry of group) {
        entry.onCommitted(entry.sequence);
        entry.resolve(entry.sequence);
      }
      if (this.#options.durability === 'strict') this.#options.onFlushed(this.#flushedSequence);
    }
  }

  #takeGroup(): Entry[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes < GROUP_BYTES_MAX))
      bytes += this.#waiting[count++]!.payload.length;
    return this.#waiting.splice(0, count);
  }

  async #write(group: Entry[]): Promise<void> {
    await this.#mend();
    const time = Math.max(Date.now(), this.#lastTime);
    const isDone = !this.#segment?.bytes || this.#isFull(this.#segment, time);
    const segment = isDone ? await this.#nextSegment() : this.#segment!;
    if (!this.#hasFrames(segment)) segment.firstTime = time;
    const writer = this.#emptyBuffer(
      group.reduce((sum, { payload }) => sum + FRAME_HEADER_BYTES + payload.length, 0),
    );
    for (const { payload, sequence } of group)
      writeFrame(writer, payload, { sequence, time, unflushed: sequence - 1 - this.#flushedSequence });
    const isStrict = this.#options.durability === 'strict';
    await this.#attempt(async () => {
      await segment.file.write(segment.bytes, writer.bytes());
      if (isStrict) await segment.file.flush();
    });
    segment.bytes += writer.length;
    this.#lastTime = time;
    this.#writtenSequence = group.at(-1)!.sequence;
    if (isStrict) this.#noteFlushed();
    else this.#scheduleFlush();
  }

  /** With room for so many bytes. The write before has ended. */
  #emptyBuffer(bytes: number): ByteWriter {
    const { capacity } = this.#buffer;
    if (capacity < bytes || capacity > KEPT_BUFFER_BYTES_MAX) this.#buffer = new ByteWriter(bytes);
    this.#buffer.clear();
    return this.#buffer;
  }

  /** What fails leaves the segment in doubt. */
  async #attempt(operation: () => Promise<void>): Promise<void> {
    try {
      await operation();
    } catch (error) {
      this.#isInDoubt = true;
      throw error;
    }
  }

  #isFull(segment: OpenSegment, time: number): boolean {
    const { segmentBytesMax, segmentAgeMaxMs } = this.#options;
    const isOver = segment.bytes >= segmentBytesMax || time - segment.firstTime >= segmentAgeMaxMs;
    return isOver && this.#hasFrames(segment);
  }

  /** One without a frame is named after the next. */
  #hasFrames({ firstSequence }: SegmentSummary): boolean {
    return firstSequence <= this.#writtenSequence;
  }

  /** Ends the segment, if there is one, and makes the next; when that fails, it goes on. */
  async #nextSegment(): Promise<OpenSegment> {
    // Behind an ended segment nothing may be torn.
    await this.#flushWritten();
    const firstSequence = this.#writtenSequence + 1;
    const ended = this.#segment;
    const file = await createSegment(this.#storage, firstSequence);
    this.#segment = { file, firstSequence, bytes: SEGMENT_HEADER_BYTES, firstTime: 0 };
    this.#flushedBytes = SEGMENT_HEADER_BYTES;
    if (ended && this.#hasFrames(ended)) this.#sealed.push(ended);
    await ended?.file.close();
    return this.#segment;
  }

  /** Everything uncommitted was staged on top of what failed, so all of it goes. */
  async #fail(group: Entry[], reason: unknown): Promise<void> {
    const failed = group.concat(this.#waiting);
    this.#waiting = [];
    this.#nextSequence = this.#writtenSequence + 1;
    this.#options.onFailed();
    // Best at once; where it cannot be, whatever comes next tries again, and reports it.
    await this.#file.run(() => this.#mend()).catch(() => undefined);
    for (const entry of failed) entry.reject(reason);
  }

  /** Makes the segment what it should be, and all of it durable; when that fails, the next call tries again. */
  async #mend(): Promise<void> {
    const segment = this.#segment;
    if (!this.#isInDoubt || !segment) return;
    await segment.file.truncate(segment.bytes);
    if (this.#flushedBytes < segment.bytes) await this.#rewriteUnflushed(segment);
    await segment.file.flush();
    this.#isInDoubt = false;
    this.#noteFlushed();
    this.#options.onFlushed(this.#flushedSequence);
  }

  async #rewriteUnflushed({ file, firstSequence, bytes }: OpenSegment): Promise<void> {
    for (let at = this.#flushedBytes; at < bytes; at += REWRITE_PIECE_BYTES)
      await file.write(at, await file.read(at, Math.min(REWRITE_PIECE_BYTES, bytes - at)));
    const { nextSequence } = await readSegment(file, firstSequence, false, () => {});
    assert(nextSequence === this.#writtenSequence + 1, `${file.name} lacks frames that were written`);
  }

  #scheduleFlush(): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // Tried again and again; who asks for a flush or writes meanwhile is told why it fails.
      this.flush().catch(() => this.#scheduleFlush());
    }, this.#options.syncIntervalMs);
  }

  async #flushWritten(): Promise<void> {
    if (this.#isInDoubt) return this.#mend();
    if (this.#flushedSequence === this.#writtenSequence) return;
    await this.#attempt(async () => this.#segment?.file.flush());
    this.#noteFlushed();
    this.#options.onFlushed(this.#flushedSequence);
  }

  #noteFlushed(): void {
    this.#flushedBytes = this.#segment?.bytes ?? 0;
    this.#flushedSequence = this.#writtenSequence;
  }
}

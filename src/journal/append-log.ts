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
 *    If even that fails, or a flush of already acknowledged bytes does, the log takes no more until it is reopened.
 */
import { ByteWriter } from '../base/bytes.ts';
import { IsovecError } from '../base/errors.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { encodeFrame } from './frame.ts';
import type { LogPosition, OpenSegment } from './log-position.ts';
import { encodeSegmentHeader, type SegmentSummary, segmentName } from './segment.ts';

/** Entries of one write. More would only delay the first of them: at 1 GB/s this is 8 ms. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

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
  payload: Uint8Array;
  sequence: number;
  onCommitted: (sequence: number) => void;
  resolve: (sequence: number) => void;
  reject: (reason: unknown) => void;
}

export class AppendLog {
  readonly #storage: StorageBackend;
  readonly #options: AppendLogOptions;
  #waiting: Entry[] = [];
  #segment: OpenSegment | undefined;
  #sealed: SegmentSummary[] = [];
  #lastTime = 0;
  #nextSequence = 1;
  /** Of the newest frame in the file. */
  #writtenSequence = 0;
  /** Of the newest frame known to be on the device. */
  #flushedSequence = 0;
  #working: Promise<void> | undefined;
  #broken: IsovecError | undefined;
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

  /** Those that hold anything, oldest first. */
  get segments(): readonly SegmentSummary[] {
    return this.#segment && this.#segment.bytes > 0 ? [...this.#sealed, this.#segment] : this.#sealed;
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
  append(payload: Uint8Array, onCommitted: (sequence: number) => void): Promise<number> {
    if (this.#broken) return Promise.reject(this.#broken);
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
    if (this.#broken) throw this.#broken;
    await this.#flushWritten();
  }

  /** Ends the current segment, flushed; the next entry starts a new one. @returns the last sequence before it */
  async rotate(): Promise<number> {
    await this.drain();
    if (this.#broken) throw this.#broken;
    await this.#endSegment();
    return this.#writtenSequence;
  }

  /** Flushes and lets go of the file. Fails if what was acknowledged could not be flushed. */
  async close(): Promise<void> {
    try {
      if (!this.#broken) await this.flush();
    } finally {
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
        await this.#write(group);
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
    if (this.#broken) throw this.#broken;
    const firstSequence = group[0]!.sequence;
    const time = Math.max(Date.now(), this.#lastTime);
    if (this.#segment && this.#isFull(this.#segment, time)) await this.#endSegment();
    this.#segment ??= {
      file: await this.#storage.open(segmentName(firstSequence), { create: true }),
      firstSequence,
      bytes: 0,
      firstTime: time,
    };
    const segment = this.#segment;
    const writer = new ByteWriter(64 * 1024);
    if (segment.bytes === 0) writer.raw(encodeSegmentHeader(firstSequence));
    if (segment.firstSequence === firstSequence) segment.firstTime = time;
    for (const { payload, sequence } of group)
      writer.raw(encodeFrame({ payload, sequence, time, unflushed: sequence - 1 - this.#flushedSequence }));
    await segment.file.write(segment.bytes, writer.bytes());
    if (this.#options.durability === 'strict') await segment.file.flush();
    segment.bytes += writer.length;
    this.#lastTime = time;
    this.#writtenSequence = firstSequence + group.length - 1;
    if (this.#options.durability === 'strict') this.#flushedSequence = this.#writtenSequence;
    else this.#scheduleFlush();
  }

  #isFull(segment: OpenSegment, time: number): boolean {
    const { segmentBytesMax, segmentAgeMaxMs } = this.#options;
    const isOver = segment.bytes >= segmentBytesMax || time - segment.firstTime >= segmentAgeMaxMs;
    return isOver && this.#hasFrames(segment);
  }

  /** One without a frame is named after the next, which starts it again. */
  #hasFrames({ firstSequence }: SegmentSummary): boolean {
    return firstSequence <= this.#writtenSequence;
  }

  /** Flushes it first: behind an ended segment nothing may be torn. */
  async #endSegment(): Promise<void> {
    await this.#flushWritten();
    const segment = this.#segment;
    if (!segment) return;
    this.#segment = undefined;
    if (this.#hasFrames(segment)) this.#sealed.push(segment);
    await segment.file.close();
  }

  /** Everything uncommitted was staged on top of what failed, so all of it goes. */
  async #fail(group: Entry[], reason: unknown): Promise<void> {
    const failed = group.concat(this.#waiting);
    this.#waiting = [];
    this.#nextSequence = this.#writtenSequence + 1;
    this.#options.onFailed();
    try {
      await this.#segment?.file.truncate(this.#segment.bytes);
      await this.#segment?.file.flush();
    } catch (error) {
      this.#break(error);
    }
    for (const entry of failed) entry.reject(reason);
  }

  #break(cause: unknown): void {
    this.#broken ??= new IsovecError(
      'STORAGE_IO',
      'the log could not be written and takes no more until the database is reopened',
      { cause },
    );
  }

  #scheduleFlush(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // A failure is remembered by #flushWritten and answers the next write.
      this.drain()
        .then(() => this.#flushWritten())
        .catch(() => undefined);
    }, this.#options.syncIntervalMs);
  }

  async #flushWritten(): Promise<void> {
    if (this.#flushedSequence === this.#writtenSequence) return;
    const sequence = this.#writtenSequence;
    try {
      await this.#segment?.file.flush();
      this.#flushedSequence = Math.max(this.#flushedSequence, sequence);
      this.#options.onFlushed(this.#flushedSequence);
    } catch (error) {
      this.#break(error);
      throw this.#broken;
    }
  }
}

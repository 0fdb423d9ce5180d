import type { CompactResult, Progress } from '../base/api.ts';
import { setBackgroundTimer } from '../base/background-timer.ts';
import { errorCodeOf } from '../base/errors.ts';
import { Mutex } from '../base/mutex.ts';
import type { SnapshotSource } from './checkpoint.ts';
import type { Engine } from './engine.ts';
import type { LogCare } from './log-care.ts';
import type { Overhaul } from './overhaul.ts';

/** Checkpoints, one at a time: when they are asked for, and when the log calls for it; and what makes large parts anew. */
export class Maintenance {
  readonly #engine: Engine;
  readonly #care: LogCare;
  readonly #mutex = new Mutex();
  #overhaul: Promise<Overhaul> | undefined;
  /** A checkpoint writing its files: it needs no writer to stand still any more. */
  #storing: Promise<void> | undefined;
  #areWritersHeld = false;
  #isScheduled = false;
  #isStopped = false;
  #committedAtMs = 0;
  /** Failures in a row, of checkpoints that nobody waits for. */
  #failures = 0;
  #retryAtMs = 0;
  #timer: { atMs: number; cancel: () => void } | undefined;

  constructor(engine: Engine, care: LogCare) {
    this.#engine = engine;
    this.#care = care;
  }

  checkpoint(): Promise<void> {
    return this.#alone(() => this.#checkpoint());
  }

  /** Runs `fn` while the files stand still: no checkpoint, no compaction. */
  alone<T>(fn: () => Promise<T>): Promise<T> {
    return this.#mutex.run(fn);
  }

  /** For a caller to whom it matters not: a failure is told as a warning, and made good later. */
  async checkpointSoon(): Promise<void> {
    this.#isScheduled = true;
    try {
      await this.#alone(() => this.#checkpointUnlessMade());
      this.#failures = 0;
      void this.#overhaulInBackground((overhaul) => overhaul.compactWhereDue());
    } catch (error) {
      const delayMs = Math.min(this.#care.retryMs * 2 ** this.#failures++, this.#care.retryMaxMs);
      this.#retryAtMs = performance.now() + delayMs;
      this.#wakeIn(delayMs);
      this.#warnOfCheckpoint(error);
    } finally {
      this.#isScheduled = false;
    }
  }

  /** Makes a checkpoint, in the background, when the log calls for it. */
  afterCommit(): void {
    this.#committedAtMs = performance.now();
    if (this.#isLogOver(1)) this.#checkpointUnlessFailing();
    if (this.#isLogOver(this.#care.overrunFactor)) this.#holdWriters();
    this.#wakeIn(this.#care.idleMs);
    for (const state of this.#engine.collections.values())
      if (state.sample?.isDue) void this.#overhaulInBackground((overhaul) => overhaul.calibrate(state));
  }

  /** The last of them: leaves nothing to replay, and the graph stored where that pays. Failing costs the next open some
   *  time, and nothing else. */
  async finish(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    // What runs in the background gives up.
    await (await this.#overhaul?.catch(() => undefined))?.whenIdle();
    await this.#alone(() => this.#checkpointUnlessMade()).catch((error) => this.#warnOfCheckpoint(error));
  }

  /** Nobody else makes checkpoints or compacts meanwhile, neither here nor anywhere. */
  #alone<T>(fn: () => Promise<T>): Promise<T> {
    const engine = this.#engine;
    return this.#mutex.run(async () => {
      engine.checkWritable();
      return engine.lease.during(fn);
    });
  }

  /** Somebody else may have been faster. */
  async #checkpointUnlessMade(): Promise<void> {
    const { journal, archiving } = this.#engine;
    const { hasDerivedToStore } = await import('./on-demand.ts');
    if (journal.tailBytes > 0 || hasDerivedToStore(this.#engine) || archiving?.isReady === false)
      await this.#checkpoint();
  }

  async compact(onProgress: (progress: Progress) => void): Promise<CompactResult> {
    return (await this.overhaul()).compact(onProgress);
  }

  overhaul(): Promise<Overhaul> {
    this.#overhaul ??= import('./on-demand.ts').then(
      ({ Overhaul }) =>
        new Overhaul(this.#engine, this.#care, {
          checkpoint: (special) => this.#mutex.run(() => this.#checkpoint(special)),
          isStopped: () => this.#isStopped,
          warn: (what, error) => this.#warn(what, error),
        }),
    );
    return this.#overhaul;
  }

  async #overhaulInBackground(run: (overhaul: Overhaul) => Promise<void>): Promise<void> {
    try {
      await run(await this.overhaul());
    } catch (error) {
      if (!this.#isStopped) this.#warn('work in the background failed', error);
    }
  }

  async #checkpoint(special?: SnapshotSource): Promise<void> {
    const { note, store } = await import('./on-demand.ts');
    const noted = await this.#engine.exclusively(() => note(this.#engine, special && [special]));
    this.#storing = store(this.#engine, noted);
    try {
      await this.#storing;
    } finally {
      this.#storing = undefined;
    }
  }

  #checkpointUnlessFailing(): void {
    if (!this.#isScheduled && performance.now() >= this.#retryAtMs) void this.checkpointSoon();
  }

  /** Is the log so many times longer than what calls for a checkpoint? */
  #isLogOver(factor: number): boolean {
    const { journal } = this.#engine;
    const { checkpointBytesMin, checkpointBytesMax, checkpointRatio, checkpointEntriesMax } = this.#care;
    if (journal.tailEntries >= checkpointEntriesMax * factor) return true;
    const bytes = journal.tailBytes / factor;
    if (bytes < checkpointBytesMin) return false;
    const stored = Object.values(journal.files).reduce((sum, { bytes }) => sum + bytes, 0);
    return bytes >= Math.min(stored * checkpointRatio, checkpointBytesMax);
  }

  /** Writers faster than the device can take in what they write: they wait until it has caught up. */
  #holdWriters(): void {
    if (!this.#storing || this.#areWritersHeld) return;
    this.#areWritersHeld = true;
    const stored = this.#storing.catch(() => undefined);
    const release = () => {
      this.#areWritersHeld = false;
    };
    // A turn not given, because a transaction takes long, holds nobody.
    this.#engine.writing.run(() => stored).then(release, release);
  }

  #wakeIn(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (this.#isStopped || (this.#timer && this.#timer.atMs <= atMs)) return;
    this.#timer?.cancel();
    const look = () => {
      this.#timer = undefined;
      this.#lookAfterLog();
    };
    this.#timer = { atMs, cancel: setBackgroundTimer(look, delayMs) };
  }

  /** What no commit comes to see to: a failed checkpoint to try again, and a log left behind by a pause. */
  #lookAfterLog(): void {
    if (!this.#engine.isWritable || this.#isScheduled) return;
    const dueInMs = this.#dueInMs();
    if (dueInMs <= 0) void this.checkpointSoon();
    else if (dueInMs < Number.POSITIVE_INFINITY) this.#wakeIn(dueInMs);
  }

  /** Milliseconds until a checkpoint should be tried; Infinity when only another commit can call for one. */
  #dueInMs(): number {
    const { journal, collections } = this.#engine;
    const { idleMs, idleBytesMin, idleEntriesMin } = this.#care;
    const now = performance.now();
    if (this.#failures > 0) return this.#retryAtMs - now;
    if (journal.tailBytes < idleBytesMin && journal.tailEntries < idleEntriesMin)
      return Number.POSITIVE_INFINITY;
    // While graphs catch up it waits, so that their images are written once.
    const isIndexing = [...collections.values()].some(({ index }) => index.backlogCount > 0);
    return isIndexing ? idleMs : this.#committedAtMs + idleMs - now;
  }

  #warnOfCheckpoint(error: unknown): void {
    this.#warn('a checkpoint failed and will be tried again', error);
  }

  #warn(what: string, error: unknown): void {
    this.#engine.events.emit('warning', { code: errorCodeOf(error), message: `${what}: ${error}` });
  }
}

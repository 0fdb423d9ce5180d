import type { CompactResult, Fields, Progress } from '../base/api.ts';
import { closed } from '../base/errors.ts';
import { Mutex } from '../base/mutex.ts';
import { betterCalibration } from './calibrating.ts';
import type { SnapshotSource } from './checkpoint.ts';
import type { CollectionState } from './collection-state.ts';
import { Rewriting } from './compact.ts';
import type { Engine } from './engine.ts';
import type { LogCare } from './log-care.ts';
import { areSame } from './payload.ts';
import { FieldsReplacement } from './replace-fields.ts';
import { type IndexChange, IndexReplacement } from './replace-index.ts';

/** Who makes the checkpoints with which new parts take the place of old ones. */
export interface OverhaulHost {
  checkpoint(special?: SnapshotSource): Promise<void>;
  isStopped(): boolean;
  warn(what: string, error: unknown): void;
}

/** What makes a collection's files or index anew beside everything else, one at a time. */
export class Overhaul {
  readonly #engine: Engine;
  readonly #care: LogCare;
  readonly #host: OverhaulHost;
  /** Copying goes on beside checkpoints; only its end is one. */
  readonly #mutex = new Mutex();
  #isCompactingInBackground = false;

  constructor(engine: Engine, care: LogCare, host: OverhaulHost) {
    this.#engine = engine;
    this.#care = care;
    this.#host = host;
  }

  /** Once what has been begun is done, or has given up. */
  whenIdle(): Promise<void> {
    return this.#mutex.run(async () => {});
  }

  /** In the background, as far as it goes: codes that fit badly cost recall, and nothing else. */
  async calibrate(state: CollectionState): Promise<void> {
    try {
      const calibration = betterCalibration(state);
      if (!calibration || state.nextIndex) return;
      await this.replaceIndex(state, { quantization: state.config.quantization, calibration });
    } catch (error) {
      if (!this.#host.isStopped())
        this.#host.warn(`the codes of "${state.name}" could not be calibrated anew`, error);
    }
  }

  /** One collection after another, so that no more than the largest is on the device twice. */
  compact(onProgress: (progress: Progress) => void): Promise<CompactResult> {
    const engine = this.#engine;
    const compact = async () => {
      const bytesBefore = await engine.storage.usageBytes();
      const garbage = [...engine.collections.values()].filter((state) => state.rows.deadCount > 0);
      const total = garbage.reduce((sum, state) => sum + state.rows.liveCount, 0);
      let done = 0;
      let recordsDropped = 0;
      for (const state of garbage)
        recordsDropped += await this.#rewrite(state, (count) => {
          done += count;
          onProgress({ phase: 'compact', done, total });
        });
      await this.#host.checkpoint();
      return { bytesBefore, bytesAfter: await engine.storage.usageBytes(), recordsDropped };
    };
    return this.alone(compact);
  }

  /** In the background, after a checkpoint: what cannot be done now is tried after the next. */
  async compactWhereDue(): Promise<void> {
    if (this.#isCompactingInBackground) return;
    this.#isCompactingInBackground = true;
    try {
      for (const state of this.#engine.collections.values())
        if (this.#isGarbageOver(state))
          await this.alone(() => this.#rewrite(state, () => this.#checkRunning()));
    } catch (error) {
      if (!this.#host.isStopped()) this.#host.warn('compaction failed and will be tried again', error);
    } finally {
      this.#isCompactingInBackground = false;
    }
  }

  #isGarbageOver({ rows, isDropped }: CollectionState): boolean {
    const { garbageRatio, garbageRowsMin } = this.#care;
    return (
      !isDropped &&
      !this.#host.isStopped() &&
      rows.deadCount >= garbageRowsMin &&
      rows.deadCount > rows.liveCount * garbageRatio
    );
  }

  #checkRunning(): void {
    if (this.#host.isStopped()) throw closed('database');
  }

  /** Makes the index of a collection anew, in its present numbering of rows. */
  replaceIndex(state: CollectionState, change: IndexChange): Promise<void> {
    return this.alone(async () => {
      const replacement = await IndexReplacement.begin(this.#engine, state, change);
      const total = state.rows.rowCount;
      let done = 0;
      try {
        await replacement.fill((rows) => {
          this.#checkRunning();
          done += rows;
          this.#engine.events.emit('progress', { phase: 'index', done, total });
        });
        if (!state.isDropped) await this.#host.checkpoint(replacement);
      } finally {
        replacement.abandon();
      }
      this.#engine.onBacklog();
    });
  }

  /** Indexes other fields of a collection. */
  setFields(state: CollectionState, fields: Fields): Promise<void> {
    return this.alone(async () => {
      if (areSame(fields, state.config.fields)) return;
      const replacement = new FieldsReplacement(this.#engine, state, fields);
      const total = state.rows.rowCount;
      let done = 0;
      await replacement.fill((rows) => {
        this.#checkRunning();
        done += rows;
        this.#engine.events.emit('progress', { phase: 'index', done, total });
      });
      if (!state.isDropped) await this.#host.checkpoint(replacement);
    });
  }

  /** Beside everything else, but nothing else of this kind: rows keep their numbers, and indexes their place. */
  alone<T>(fn: () => Promise<T>): Promise<T> {
    return this.#mutex.run(async () => {
      this.#engine.checkWritable();
      return this.#engine.lease.during(fn);
    });
  }

  /** @returns how many dead rows are gone */
  async #rewrite(state: CollectionState, onCopied: (rows: number) => void): Promise<number> {
    const rewriting = new Rewriting(this.#engine, state);
    try {
      await rewriting.copy(onCopied);
      if (!state.isDropped) await this.#host.checkpoint(rewriting);
    } finally {
      await rewriting.abandon();
    }
    return rewriting.droppedCount;
  }
}

import type { CompactResult, Progress } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import { checkpoint, checkpointWithin, hasGraphToStore } from './checkpoint.ts';
import { rewriteCollections } from './compact.ts';
import type { Engine } from './engine.ts';
import { Mutex } from './mutex.ts';

/** A checkpoint is made when the log has grown to this at least: replaying it takes well under a second. */
const CHECKPOINT_LOG_BYTES_MIN = 32 * 1024 * 1024;
/** And to this part of what the files hold, so that what checkpoints rewrite stays in proportion to what was written. */
const CHECKPOINT_LOG_RATIO = 0.25;

/** Checkpoints and compaction, one at a time. */
export class Maintenance {
  readonly #engine: Engine;
  readonly #mutex = new Mutex();
  #isScheduled = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  checkpoint(): Promise<void> {
    return this.#mutex.run(() => checkpoint(this.#engine));
  }

  /** After a commit: makes a checkpoint, in the background, when the log has grown enough. */
  checkpointWhenDue(): void {
    const { journal } = this.#engine;
    const stored = Object.values(journal.files).reduce((sum, bytes) => sum + bytes, 0);
    if (
      this.#isScheduled ||
      journal.tailBytes < Math.max(CHECKPOINT_LOG_BYTES_MIN, stored * CHECKPOINT_LOG_RATIO)
    )
      return;
    this.#isScheduled = true;
    this.checkpoint()
      .catch((error) => this.#warn(error))
      .finally(() => {
        this.#isScheduled = false;
      });
  }

  /** The last of them: leaves nothing to replay, and the graph stored where that pays. Failing costs the next open some
   *  time, and nothing else. */
  finish(): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#engine.journal.tailBytes === 0 && !hasGraphToStore(this.#engine)) return;
      await checkpoint(this.#engine).catch((error) => this.#warn(error));
    });
  }

  #warn(error: unknown): void {
    const code = error instanceof IsovecError ? error.code : 'STORAGE_IO';
    this.#engine.events.emit('warning', {
      code,
      message: `a checkpoint failed and will be tried again: ${error}`,
    });
  }

  compact(onProgress: (progress: Progress) => void): Promise<CompactResult> {
    const engine = this.#engine;
    return this.#mutex.run(async () => {
      engine.checkWritable();
      const bytesBefore = await engine.storage.usageBytes();
      await checkpoint(engine);
      // Writers wait: what is copied must not change meanwhile.
      const { recordsDropped, removeObsolete } = await engine.writing.run(async () => {
        await checkpointWithin(engine);
        return rewriteCollections(engine, onProgress);
      });
      await removeObsolete();
      await checkpoint(engine);
      return { bytesBefore, bytesAfter: await engine.storage.usageBytes(), recordsDropped };
    });
  }
}

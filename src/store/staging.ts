/** What has been put together and handed to the log, but is not committed yet. */
import type { Draft, Staged } from './draft.ts';

/**
 * How much may be on its way to the log. Two of the log's largest groups (8 MiB) keep it busy; what waits longer
 * waits in the queue, where more urgent writes can pass it.
 */
const STAGED_BYTES_MAX = 16 * 1024 * 1024;
/** The same for small batches: 4,096 of them share one flush, which then costs each a microsecond or less. */
const STAGED_BATCHES_MAX = 4096;

export class Staging {
  /** By collection and id: the latest operation of each. */
  readonly operations: Staged = new Map();
  /** Vectors on their way to an index, by collection: room is kept for them there. */
  readonly #awaited = new Map<number, number>();
  /** Oldest first. */
  readonly #batches = new Set<{ bytes: number; settled: Promise<void> }>();
  #bytes = 0;
  #failures = 0;

  /** Writes that have failed, each taking all that was staged with it. */
  get failures(): number {
    return this.#failures;
  }

  get waiting(): { operations: number; bytes: number } {
    return { operations: this.#batches.size, bytes: this.#bytes };
  }

  /** Resolves when another batch may be staged. */
  async room(): Promise<void> {
    while (this.#bytes >= STAGED_BYTES_MAX || this.#batches.size >= STAGED_BATCHES_MAX) {
      const [oldest] = this.#batches;
      await oldest!.settled;
    }
  }

  /** Later drafts see what this one does. @param committed settles when the batch is committed or has failed */
  add(draft: Draft, committed: Promise<void>): void {
    draft.merge();
    const { bytes } = draft;
    const leave = () => {
      this.#batches.delete(batch);
      this.#bytes -= bytes;
    };
    const batch = { bytes, settled: committed.then(leave, leave) };
    this.#batches.add(batch);
    this.#bytes += bytes;
  }

  /** Vectors on their way to a collection's index. */
  awaited(collectionId: number): number {
    return this.#awaited.get(collectionId) ?? 0;
  }

  await(collectionId: number, count: number): void {
    this.#awaited.set(collectionId, this.awaited(collectionId) + count);
  }

  arrived(collectionId: number, count: number): void {
    this.await(collectionId, -count);
  }

  /** All of it is gone: the write that it stood on has failed. */
  drop(): void {
    this.#failures++;
    this.operations.clear();
    this.#awaited.clear();
  }
}

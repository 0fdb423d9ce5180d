/** Lets the graphs catch up in the background, in slices short enough that nothing else waits long. */
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';

/** A query that arrives during a slice waits for its end: half a frame at 60 Hz. */
const SLICE_MS = 8;
/** Steps between looks at the clock: about a millisecond at 100 dimensions. */
const STEPS_PER_LOOK = 4;
/** Progress is told ten times a second. */
const PROGRESS_INTERVAL_MS = 100;

export class Indexer {
  readonly #engine: Engine;
  readonly #yieldTurn: (callback: () => void) => void;
  #isRunning = false;
  #isStopped = false;
  #toldAt = 0;

  constructor(engine: Engine, yieldTurn: (callback: () => void) => void) {
    this.#engine = engine;
    this.#yieldTurn = yieldTurn;
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#yieldTurn(() => this.#slice());
  }

  stop(): void {
    this.#isStopped = true;
  }

  #slice(): void {
    this.#isRunning = false;
    if (this.#isStopped) return;
    const state = this.#next();
    if (!state) return;
    try {
      const end = performance.now() + SLICE_MS;
      while (state.index.backlogCount > 0 && performance.now() < end)
        state.graphSteps += state.index.link(STEPS_PER_LOOK);
      this.#tell(state);
    } catch (error) {
      // The index is of no use any more, but everything is in the log and the files.
      this.#isStopped = true;
      this.#engine.fail(error);
      this.#engine.events.emit('warning', {
        code: 'STORAGE_IO',
        message: `indexing "${state.name}" failed; reopen the database to rebuild its graph: ${error}`,
      });
      return;
    }
    this.wake();
  }

  #next(): CollectionState | undefined {
    for (const state of this.#engine.collections.values()) if (state.index.backlogCount > 0) return state;
    return undefined;
  }

  #tell({ index }: CollectionState): void {
    const now = performance.now();
    if (index.backlogCount > 0 && now - this.#toldAt < PROGRESS_INTERVAL_MS) return;
    this.#toldAt = now;
    const total = index.count;
    this.#engine.events.emit('progress', { phase: 'index', done: total - index.pendingCount, total });
  }
}

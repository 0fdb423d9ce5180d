/** Lets the graphs catch up in the background, in slices short enough that nothing else waits long. */
import { setBackgroundTimer } from '../base/background-timer.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';

/** A query that arrives during a slice waits for its end, so with the last step of one 5 ms: a third of a frame at 60 Hz. */
const SLICE_MS = 4;
/** While writes keep coming, a slice is followed by a pause of so long: they have three quarters of the thread at least. */
const PAUSE_MS = 3 * SLICE_MS;
/**
 * A pause that ends while a write is under way is repeated, so many times at most: a writer that never waits has 15/16 of
 * the thread. Storing 100 vectors of 384 dimensions takes 1 ms, linking them 30, so the graph cannot keep up with it; it
 * catches up when the writer has something else to do.
 */
const REPEATED_PAUSES_MAX = 4;
/** Unless this much is waiting to be linked: a query scans it exactly, in 4 ms. */
const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;
/** Steps between looks at the clock: one takes a fifth of a millisecond at 100 dimensions, and one at 768. */
const STEPS_PER_LOOK = 1;
/** Progress is told ten times a second. */
const PROGRESS_INTERVAL_MS = 100;

export class Indexer {
  readonly #engine: Engine;
  readonly #yieldTurn: (callback: () => void) => void;
  #isRunning = false;
  #isStopped = false;
  #isPaused = false;
  #toldAt = 0;
  #isWritten = false;

  constructor(engine: Engine, yieldTurn: (callback: () => void) => void) {
    this.#engine = engine;
    this.#yieldTurn = yieldTurn;
  }

  /** Something has been written, so there may be something to do. */
  wake(): void {
    this.#isWritten = true;
    this.#schedule(() => this.#yieldTurn(() => this.#slice()));
  }

  /** Until it is resumed. A slice that has begun is finished. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.wake();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #slice(): void {
    this.#isRunning = false;
    if (this.#isStopped || this.#isPaused) return;
    const state = this.#next();
    if (!state) return;
    try {
      const end = performance.now() + SLICE_MS;
      while (hasWork(state) && performance.now() < end) state.graphSteps += state.index.link(STEPS_PER_LOOK);
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
    this.#scheduleNext(state);
  }

  #scheduleNext({ index, config }: CollectionState): void {
    const backlogBytes = index.pendingCount * config.dimensions * Float32Array.BYTES_PER_ELEMENT;
    const isPausing = this.#isWritten && backlogBytes < BACKLOG_BYTES_MAX;
    this.#isWritten = false;
    this.#schedule(() => {
      if (isPausing) this.#pauseFor(REPEATED_PAUSES_MAX);
      else this.#yieldTurn(() => this.#slice());
    });
  }

  #pauseFor(repeats: number): void {
    setBackgroundTimer(() => {
      if (repeats > 0 && this.#engine.waiting.operations > 0) this.#pauseFor(repeats - 1);
      else this.#slice();
    }, PAUSE_MS);
  }

  #schedule(start: () => void): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    start();
  }

  #next(): CollectionState | undefined {
    for (const state of this.#engine.collections.values()) if (hasWork(state)) return state;
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

function hasWork({ index, isGraphHeld }: CollectionState): boolean {
  return index.backlogCount > 0 && !isGraphHeld;
}

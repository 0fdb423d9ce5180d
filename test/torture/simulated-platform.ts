import type { Platform } from '../../src/store/platform.ts';
import { loadKernel } from '../store/memory-platform.ts';
import type { SimulatedBackend } from './simulated-disk.ts';

/** A runtime in which nothing happens by itself: the graph is linked when `runTurns` says so. */
export class SimulatedPlatform implements Platform {
  readonly #backend: SimulatedBackend;
  readonly #waiting: (() => void)[] = [];
  readonly #runsByItself: boolean;

  /** @param runsByItself for what waits for its turns in the foreground, as salvaging does */
  constructor(backend: SimulatedBackend, runsByItself = false) {
    this.#backend = backend;
    this.#runsByItself = runsByItself;
  }

  loadKernel = loadKernel;

  async storage() {
    return {
      provider: {
        kind: 'memory' as const,
        open: async () => this.#backend,
        exists: async () => true,
        destroy: async () => {},
      },
    };
  }

  /** A property, for the store takes it off the platform. */
  readonly yieldTurn = (callback: () => void): void => {
    if (this.#runsByItself) setImmediate(callback);
    else this.#waiting.push(callback);
  };

  /** Lets everything in the background run until it has no more to do. */
  runTurns(): void {
    for (let turn = this.#waiting.shift(); turn; turn = this.#waiting.shift()) turn();
  }
}

import type { LockProvider } from '../../src/storage/lock.ts';
import type { Platform } from '../../src/store/platform.ts';
import { loadKernel } from '../store/memory-platform.ts';
import type { SimulatedBackend } from './simulated-disk.ts';

export interface SimulatedPlatformOptions {
  /** For what waits for its turns in the foreground, as salvaging does. */
  runsByItself?: boolean;
  /** Where several processes have one disk. */
  locks?: LockProvider;
}

/** A runtime in which nothing happens in the background by itself: the graph is linked when `runTurns` says so. */
export class SimulatedPlatform implements Platform {
  readonly #backend: SimulatedBackend;
  readonly #waiting: (() => void)[] = [];
  readonly #options: SimulatedPlatformOptions;

  constructor(backend: SimulatedBackend, options: SimulatedPlatformOptions = {}) {
    this.#backend = backend;
    this.#options = options;
  }

  loadKernel = loadKernel;

  async storage() {
    const { locks } = this.#options;
    return {
      ...(locks && { locks }),
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
    // Who only pauses hands over what resolves a promise, which takes a value.
    if (this.#options.runsByItself || callback.length > 0) setImmediate(callback);
    else this.#waiting.push(callback);
  };

  /** Lets everything in the background run until it has no more to do. */
  runTurns(): void {
    for (let turn = this.#waiting.shift(); turn; turn = this.#waiting.shift()) turn();
  }
}

/** A kernel in shared memory, whose graph several threads build: see wasm/isovec-threads.h. */
import type { BuildThreads, Helper } from './build-threads.ts';
import { BulkIndex, type BulkVectorIndex } from './bulk-index.ts';
import { Kernel } from './kernel.ts';
import type { VectorIndexConfig } from './vector-index.ts';

/** As the module declares it (wasm/build.ts), and all that 32 bits can address. */
const PAGES_INITIAL = 16;
const PAGES_MAX = 65_536;
/** So much pending is worth starting threads for: linking it alone takes about a third of a second. */
const HELPED_MIN = 2000;
/** Of a call that may leave a batch open: half of one. */
const STEPS_ALONG = 64;
/** Touching so much takes as long as starting a thread for it. */
const TOUCHED_MIN_BYTES = 64 * 1024 * 1024;
/** Threads cost tens of milliseconds to start, and some megabytes while they are there. */
const PATIENCE_MS = 5000;

/**
 * @param helpedMin pending vectors that threads are started for
 * @returns undefined where so much memory cannot be shared
 */
export function createThreadedIndex(
  threads: BuildThreads,
  config: VectorIndexConfig,
  helpedMin = HELPED_MIN,
): BulkVectorIndex | undefined {
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: PAGES_INITIAL, maximum: PAGES_MAX, shared: true });
  } catch {
    return undefined;
  }
  return new BulkIndex(new ThreadedKernel(threads, config, memory, helpedMin), config);
}

class ThreadedKernel extends Kernel {
  readonly #threads: BuildThreads;
  readonly #memory: WebAssembly.Memory;
  readonly #helpers = new Map<number, Helper>();
  readonly #helpedMin: number;
  #hasFailed = false;

  constructor(
    threads: BuildThreads,
    config: VectorIndexConfig,
    memory: WebAssembly.Memory,
    helpedMin: number,
  ) {
    super(threads.kernel, config, memory);
    this.#helpedMin = helpedMin;
    this.#threads = threads;
    this.#memory = memory;
    this.call('isovec_helpers_expect', threads.count, helpedMin);
  }

  /** Up to STEPS_ALONG steps are tasks that are shared with helpers, who go on between one call and the next. More are
   *  taken before it returns, with their help. */
  override link(count: number): number {
    if (!this.#hasFailed && this.count('pending') > this.#helpedMin) this.#hire();
    const isAlong = this.#helpers.size > 0 && count <= STEPS_ALONG;
    return isAlong ? this.call('isovec_link_along', count) : super.link(count);
  }

  /**
   * A thread touches its pages meanwhile: that is when the system makes them, each in 3 us, which is as long as reading,
   * checking and copying what fills it.
   */
  override prepareMemory(): void {
    const { memoryBytes } = this;
    if (memoryBytes < TOUCHED_MIN_BYTES || this.#hasFailed) return;
    try {
      // Without it, it takes longer, no more.
      this.#threads.spawn({ memory: this.#memory, touchedBytes: memoryBytes }, () => {});
    } catch {}
  }

  #hire(): void {
    for (let helper = 1; helper <= this.#threads.count && !this.#hasFailed; helper++)
      if (!this.#helpers.has(helper)) this.#start(helper);
  }

  #start(helper: number): void {
    const stackAddress = this.call('isovec_helper_prepare', helper);
    if (stackAddress === 0) {
      // What there is, is for vectors.
      this.#hasFailed = true;
      return;
    }
    const start = {
      kernel: this.#threads.kernel,
      memory: this.#memory,
      helper,
      stackAddress,
      stackBytes: this.call('isovec_helper_stack_bytes'),
      patienceMs: PATIENCE_MS,
    };
    try {
      this.#helpers.set(
        helper,
        this.#threads.spawn(start, (error) => {
          if (error === undefined) this.#helpers.delete(helper);
          else this.#fail(error);
        }),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** From now on this thread builds alone. What another was at when it ended has to be done again, once none runs. */
  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#threads.warn(`threads that help to build a graph failed, so it is built without: ${error}`);
    const ended = [...this.#helpers.values()].map((helper) => helper.terminate());
    void Promise.allSettled(ended).then(() => {
      this.call('isovec_helpers_lost');
      this.#helpers.clear();
    });
  }
}

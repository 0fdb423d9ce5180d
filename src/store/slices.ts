import { checkNotAborted } from '../base/abort.ts';

/** Others wait no longer than this for work that takes long. A third of a frame at 60 Hz. */
const SLICE_MS = 5;

/** Who does nothing for so long has let others have theirs. */
const BREAK_MS = 1;

/** Lets others have a turn between slices of long work. */
export class Slices {
  readonly #pause: () => Promise<void>;
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();
  /** Of the last piece of work. */
  #endedAt = 0;

  /** @param signal of whoever wants the work done */
  constructor(pause: () => Promise<void>, signal?: AbortSignal) {
    this.#pause = pause;
    this.#signal = signal;
  }

  get isOver(): boolean {
    return performance.now() - this.#since > SLICE_MS;
  }

  /** Before a piece of work that others may have had turns before, or not. */
  begin(): Promise<void> | undefined {
    const now = performance.now();
    if (now - this.#endedAt > BREAK_MS) this.#since = now;
    return this.isOver ? this.rest() : undefined;
  }

  end(): void {
    this.#endedAt = performance.now();
  }

  /** Ends the slice, which is over. @throws IsovecError ABORTED */
  async rest(): Promise<void> {
    await this.#pause();
    checkNotAborted(this.#signal);
    this.#since = performance.now();
  }
}

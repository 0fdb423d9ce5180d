import type { Awaitable } from '../base/awaitable.ts';
import { closed, IsovecError } from '../base/errors.ts';

/** Whether a database is open, and who is still at work in it. */
export class Session {
  #running = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #endless = new Set<AbortController>();

  /** @throws IsovecError CLOSED once closing has begun */
  check(): void {
    if (this.#closing) throw closed('database');
  }

  /** Runs one public call. Closing waits for it. */
  async run<T>(fn: () => Awaitable<T>): Promise<T> {
    const result = this.runAtOnce(fn);
    return result instanceof Promise ? await result : result;
  }

  /** As `run`, for a call that may be done when this returns. */
  runAtOnce<T>(fn: () => Awaitable<T>): Awaitable<T> {
    this.check();
    const result = fn();
    return result instanceof Promise ? this.#waitFor(result) : result;
  }

  /**
   * As `run`, for what might never end by itself.
   * @param fn gets a signal that is aborted with the given one, and when closing begins
   */
  runUntilClosing<T>(given: AbortSignal | undefined, fn: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.run(async () => {
      const controller = new AbortController();
      const onAbort = () => controller.abort(given?.reason);
      if (given?.aborted) onAbort();
      given?.addEventListener('abort', onAbort);
      this.#endless.add(controller);
      try {
        return await fn(controller.signal);
      } finally {
        given?.removeEventListener('abort', onAbort);
        this.#endless.delete(controller);
      }
    });
  }

  /** Lets no further call in, aborts what might never end, waits for the calls under way, then runs `fn`, once. */
  close(fn: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#idle().then(fn);
    for (const controller of this.#endless)
      controller.abort(
        new IsovecError(
          'ABORTED',
          'the database was closed before the transaction had ended: nothing of it is stored',
          { details: { by: 'close' } },
        ),
      );
    return this.#closing;
  }

  async #waitFor<T>(result: Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await result;
    } finally {
      this.#running--;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  async #idle(): Promise<void> {
    if (this.#running > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
  }
}

import { IsovecError } from '../base/errors.ts';

/** Whether a database is open, and who is still at work in it. */
export class Session {
  #running = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #end = new AbortController();

  /** Aborted when closing begins: for what might otherwise never end. */
  get ending(): AbortSignal {
    return this.#end.signal;
  }

  /** @throws IsovecError CLOSED once closing has begun */
  check(): void {
    if (this.#closing) throw new IsovecError('CLOSED', 'the database has been closed');
  }

  /** Runs one public call. Closing waits for it. */
  async run<T>(fn: () => Promise<T> | T): Promise<T> {
    this.check();
    this.#running++;
    try {
      return await fn();
    } finally {
      this.#running--;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  /** Lets no further call in, aborts `ending`, waits for the calls under way, then runs `fn`, once. */
  close(fn: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#idle().then(fn);
    this.#end.abort(
      new IsovecError(
        'ABORTED',
        'the database was closed before the transaction had ended: nothing of it is stored',
      ),
    );
    return this.#closing;
  }

  async #idle(): Promise<void> {
    if (this.#running > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
  }
}

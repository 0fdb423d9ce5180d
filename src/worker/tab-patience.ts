import { IsovecError } from '../base/errors.ts';

/** While something is awaited, the writer is asked for a sign of life this often. */
export const PROBE_MS = 500;

export interface PatienceListener {
  /** Whether anything is awaited from another tab. */
  isWaiting(): boolean;
  /** Asks for a sign of life. */
  probe(): void;
  /** @param silentMs how long there has been no sign of life since the given time */
  check(silentMs: (sinceMs: number) => number): void;
}

/** Watches whether there are signs of life from the writer, for as long as something is awaited from it. */
export class Patience {
  readonly #listener: PatienceListener;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastTickMs = 0;
  #lastSignMs = 0;

  constructor(listener: PatienceListener) {
    this.#listener = listener;
  }

  /** There was a sign of life. */
  renew(): void {
    this.#lastSignMs = performance.now();
  }

  /** @param timeoutMs that will matter */
  watch(timeoutMs: number): void {
    if (this.#timer !== undefined) return;
    this.#lastTickMs = performance.now();
    const intervalMs = Math.min(PROBE_MS, Math.max(timeoutMs / 2, 1));
    this.#timer = setInterval(() => this.#tick(), intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = performance.now();
    // This tab stood still itself, and has yet to hear what was said meanwhile.
    if (now - this.#lastTickMs > 2 * PROBE_MS) this.renew();
    this.#lastTickMs = now;
    if (!this.#listener.isWaiting()) {
      this.stop();
      return;
    }
    this.#listener.probe();
    this.#listener.check((sinceMs) => now - Math.max(sinceMs, this.#lastSignMs));
  }
}

export function silent(location: string, timeoutMs: number): IsovecError {
  return new IsovecError(
    'LOCK_TIMEOUT',
    `whoever has '${location}' open for writing gave no sign of life for ${timeoutMs} ms (worker: false gives none); a write may or may not be stored`,
    { details: { location, timeoutMs } },
  );
}

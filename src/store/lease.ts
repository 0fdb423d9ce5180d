/** The right to write, for as long as somebody here needs it. */
import type { HeldLock } from '../storage/lock.ts';

export interface WriterLease {
  /** Nobody else can write. */
  readonly isHeld: boolean;
  /** Resolves when nobody else can write and what others wrote has been taken in. `leave` must follow. */
  enter(): Promise<void>;
  leave(): void;
  /** As `enter` and `leave` around `fn`, which may itself wait for others who enter. */
  during<T>(fn: () => Promise<T>): Promise<T>;
  /** Nobody is inside any more: lets go for good. */
  close(): Promise<void>;
}

/** Held from opening to closing, or needless. */
export class ExclusiveLease implements WriterLease {
  readonly isHeld = true;
  readonly #lock: HeldLock | undefined;

  constructor(lock: HeldLock | undefined) {
    this.#lock = lock;
  }

  async enter(): Promise<void> {}

  leave(): void {}

  during<T>(fn: () => Promise<T>): Promise<T> {
    return fn();
  }

  async close(): Promise<void> {
    await this.#lock?.release();
  }
}

/** The right to write where many take turns. Only storage that several can have open needs it: loaded then. */
import { setBackgroundTimer } from '../base/background-timer.ts';
import type { HeldLock } from '../storage/lock.ts';
import type { WriterLease } from './lease.ts';

/** A writer that has just written often writes again: kept so long when nobody else wants it, asked so often. */
const LINGER_MS = 50;
const LINGER_LOOK_MS = 2;
/** One that never pauses lets others in after so long. A change of hands takes 1 to 2 ms. */
const HOLD_MS_MAX = 20;
/** A full disk has room again when somebody has made some. */
const SETTLE_AGAIN_MS = 200;

export interface SharedLeaseParts {
  acquire: () => Promise<HeldLock>;
  /** Takes in what others have written. */
  catchUp: () => Promise<void>;
  /** Makes everything that was written here durable, so that whoever comes next can build on it. */
  settle: () => Promise<void>;
  onFailed: (reason: unknown) => void;
}

/** Taken when there is something to write, and given up soon after: many processes write to one place in turns. */
export class SharedLease implements WriterLease {
  readonly #parts: SharedLeaseParts;
  #lock: HeldLock | undefined;
  #heldSinceMs = 0;
  #users = 0;
  /** Of those inside, how many may wait for others to enter. */
  #openEnded = 0;
  /** No more enter until it has been given up. */
  #isYielding = false;
  #changing: Promise<void> | undefined;
  readonly #onceGivenUp: (() => void)[] = [];
  #cancelLook: (() => void) | undefined;

  /** @param lock held already */
  constructor(parts: SharedLeaseParts, lock: HeldLock) {
    this.#parts = parts;
    this.#hold(lock);
    this.#linger(0);
  }

  get isHeld(): boolean {
    return this.#lock !== undefined;
  }

  async enter(): Promise<void> {
    for (;;) {
      if (this.#changing) await this.#changing;
      else if (!this.#lock) await this.#change(() => this.#take());
      else if (this.#mustYield()) await this.#yield();
      else break;
    }
    this.#cancelLook?.();
    this.#users++;
  }

  leave(): void {
    this.#users--;
    if (this.#users > 0) return;
    if (this.#isYielding) void this.#change(() => this.#giveUp());
    else this.#linger(0);
  }

  async during<T>(fn: () => Promise<T>): Promise<T> {
    await this.enter();
    this.#openEnded++;
    try {
      return await fn();
    } finally {
      this.#openEnded--;
      this.leave();
    }
  }

  async close(): Promise<void> {
    while (this.#changing) await this.#changing.catch(() => {});
    this.#cancelLook?.();
    if (this.#lock) await this.#change(() => this.#giveUp({ soonAgain: false }));
  }

  #change(change: () => Promise<void>): Promise<void> {
    this.#changing = change().finally(() => {
      this.#changing = undefined;
    });
    return this.#changing;
  }

  async #take(): Promise<void> {
    const lock = await this.#parts.acquire();
    try {
      await this.#parts.catchUp();
    } catch (error) {
      await lock.release();
      throw error;
    }
    this.#hold(lock);
  }

  #hold(lock: HeldLock): void {
    this.#lock = lock;
    this.#heldSinceMs = performance.now();
    this.#isYielding = false;
  }

  #mustYield(): boolean {
    if (this.#isYielding) return true;
    if (this.#openEnded > 0 || performance.now() - this.#heldSinceMs < HOLD_MS_MAX) return false;
    this.#isYielding = this.#isWanted();
    // Asked again as long after.
    this.#heldSinceMs = performance.now();
    return this.#isYielding;
  }

  /** Resolves when it has been given up: whoever is inside finishes first. */
  async #yield(): Promise<void> {
    if (this.#users === 0) await this.#change(() => this.#giveUp());
    else
      await new Promise<void>((resolve) => {
        this.#onceGivenUp.push(resolve);
      });
  }

  async #giveUp({ soonAgain } = { soonAgain: true }): Promise<void> {
    const lock = this.#lock;
    const isSettled = await this.#parts.settle().then(
      () => true,
      () => false,
    );
    if (isSettled || !soonAgain) {
      this.#lock = undefined;
      await lock?.release({ soonAgain }).catch((error) => this.#parts.onFailed(error));
    } else this.#keep();
    for (const resolve of this.#onceGivenUp.splice(0)) resolve();
  }

  /** Nobody may build on what is not durable: the others wait until it is. Whoever writes here is told why it is not. */
  #keep(): void {
    this.#heldSinceMs = performance.now();
    this.#isYielding = false;
    this.#cancelLook?.();
    this.#cancelLook = setBackgroundTimer(() => {
      if (this.#users === 0 && this.#lock && !this.#changing) void this.#change(() => this.#giveUp());
    }, SETTLE_AGAIN_MS);
  }

  #linger(waitedMs: number): void {
    if (waitedMs >= LINGER_MS || this.#isWanted()) {
      void this.#change(() => this.#giveUp());
      return;
    }
    this.#cancelLook?.();
    this.#cancelLook = setBackgroundTimer(() => {
      if (this.#users === 0 && this.#lock && !this.#changing) this.#linger(waitedMs + LINGER_LOOK_MS);
    }, LINGER_LOOK_MS);
  }

  #isWanted(): boolean {
    return this.#lock?.isWanted?.() ?? true;
  }
}

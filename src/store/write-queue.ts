/**
 * The line of those who want to write: one has the turn at a time. Interactive turns go before bulk ones, either in
 * order of arrival. The line is bounded, so that a producer that never waits is told so, and does not fill the memory.
 */
import { aborted, checkNotAborted } from '../base/abort.ts';
import type { DatabaseEvents } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';

/** So many interactive turns in a row let one bulk turn through: bulk work slows down, but never starves. */
const INTERACTIVE_RUN_MAX = 16;
/** Listeners hear of a line this full, and again when it has shrunk to half of that. */
const HIGH_WATER_RATIO = 0.5;

export interface QueueLimits {
  operations: number;
  bytes: number;
}

export interface TurnOptions {
  /** Default 'interactive'. */
  priority?: 'interactive' | 'bulk';
  /** Gives up waiting; a turn that has begun is not disturbed. */
  signal?: AbortSignal | undefined;
  /** What waits in memory for this turn. Turns without are the store's own, and are never refused. */
  bytes?: number;
}

interface Turn {
  start: () => void;
  reject: (reason: IsovecError) => void;
  bytes: number;
  timer?: ReturnType<typeof setTimeout>;
}

export class WriteQueue {
  readonly #limits: QueueLimits;
  readonly #transactionWaitMs: number;
  readonly #onPressure: (pressure: DatabaseEvents['queue']) => void;
  readonly #interactive = new Set<Turn>();
  readonly #bulk = new Set<Turn>();
  #waitingBytes = 0;
  #isBusy = false;
  #isHigh = false;
  #interactiveRun = 0;
  /** A transaction has the turn: those who wait might be waited for by its own function. */
  #isInTransaction = false;

  /**
   * @param transactionWaitMs how long a turn may wait for one transaction
   * @param onPressure called when the line gets long, and when it is short again
   */
  constructor(
    limits: QueueLimits,
    transactionWaitMs: number,
    onPressure: (pressure: DatabaseEvents['queue']) => void,
  ) {
    this.#limits = limits;
    this.#transactionWaitMs = transactionWaitMs;
    this.#onPressure = onPressure;
  }

  get waiting(): { operations: number; bytes: number } {
    return { operations: this.#interactive.size + this.#bulk.size, bytes: this.#waitingBytes };
  }

  /**
   * Runs `fn` when its turn comes; whether those before it failed does not matter.
   * @throws IsovecError ABORTED; QUOTA_EXCEEDED when the line is full; LOCK_TIMEOUT when a transaction takes too long
   */
  async run<T>(fn: () => Promise<T>, options: TurnOptions = {}): Promise<T> {
    await this.#turn(options);
    try {
      return await fn();
    } finally {
      this.#passOn();
    }
  }

  /** As `run`, for a function that is not the store's own: it may wait for a turn itself, and must not do so forever. */
  runTransaction<T>(fn: () => Promise<T>, options: TurnOptions = {}): Promise<T> {
    return this.run(async () => {
      this.#isInTransaction = true;
      for (const turn of [...this.#interactive, ...this.#bulk]) this.#limitWait(turn);
      try {
        return await fn();
      } finally {
        this.#isInTransaction = false;
        for (const turn of [...this.#interactive, ...this.#bulk]) clearTimeout(turn.timer);
      }
    }, options);
  }

  #turn({ priority = 'interactive', signal, bytes }: TurnOptions): Promise<void> | undefined {
    checkNotAborted(signal);
    if (!this.#isBusy) {
      this.#isBusy = true;
      return undefined;
    }
    if (bytes !== undefined) this.#checkRoom(bytes);
    return new Promise((resolve, reject) => {
      const line = priority === 'bulk' ? this.#bulk : this.#interactive;
      const leave = () => {
        line.delete(turn);
        clearTimeout(turn.timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waitingBytes -= turn.bytes;
        this.#tellPressure();
      };
      const onAbort = () => turn.reject(aborted(signal!));
      const turn: Turn = {
        bytes: bytes ?? 0,
        start: () => {
          leave();
          resolve();
        },
        reject: (reason) => {
          leave();
          reject(reason);
        },
      };
      line.add(turn);
      signal?.addEventListener('abort', onAbort);
      this.#waitingBytes += turn.bytes;
      if (this.#isInTransaction) this.#limitWait(turn);
      this.#tellPressure();
    });
  }

  #passOn(): void {
    const next = this.#next();
    if (next) next.start();
    else this.#isBusy = false;
  }

  #next(): Turn | undefined {
    const [interactive] = this.#interactive;
    const [bulk] = this.#bulk;
    const isBulkDue = bulk && (!interactive || this.#interactiveRun >= INTERACTIVE_RUN_MAX);
    this.#interactiveRun = isBulkDue ? 0 : this.#interactiveRun + 1;
    return isBulkDue ? bulk : interactive;
  }

  #limitWait(turn: Turn): void {
    const waitMs = this.#transactionWaitMs;
    turn.timer = setTimeout(
      () =>
        turn.reject(
          new IsovecError(
            'LOCK_TIMEOUT',
            `a transaction has not ended within ${waitMs} ms (lockTimeout); inside a transaction, write with tx.collection()`,
            { details: { timeoutMs: waitMs } },
          ),
        ),
      waitMs,
    );
  }

  #checkRoom(bytes: number): void {
    const { operations, bytes: waitingBytes } = this.waiting;
    if (operations < this.#limits.operations && waitingBytes + bytes <= this.#limits.bytes) return;
    throw new IsovecError(
      'QUOTA_EXCEEDED',
      `${operations} writes with ${waitingBytes} bytes are waiting already; wait for some of them before calling again`,
      { details: { waiting: operations, waitingBytes, bytes, limit: this.#limits } },
    );
  }

  #tellPressure(): void {
    const { operations, bytes } = this.waiting;
    const fullness = Math.max(operations / this.#limits.operations, bytes / this.#limits.bytes);
    const isHigh = fullness >= (this.#isHigh ? HIGH_WATER_RATIO / 2 : HIGH_WATER_RATIO);
    if (isHigh === this.#isHigh) return;
    this.#isHigh = isHigh;
    this.#onPressure({ state: isHigh ? 'high' : 'normal', waiting: operations, bytes });
  }
}

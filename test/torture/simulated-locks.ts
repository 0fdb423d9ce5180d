import type { HeldLock, LockProvider } from '../../src/storage/lock.ts';

interface Waiting {
  process: string;
  grant: () => void;
}

/** One lock among processes that live in one thread: whoever asks first has it first, and a dead holder's passes on. */
export class SimulatedLock {
  #holder: string | undefined;
  readonly #waiting: Waiting[] = [];

  /** As one process sees it. Nobody knows who waits, so a writer lets go after each batch, whatever the clock says. */
  of(process: string): LockProvider {
    return {
      acquire: async () => {
        if (this.#holder !== undefined)
          await new Promise<void>((resolve) => {
            this.#waiting.push({ process, grant: resolve });
          });
        else this.#holder = process;
        return this.#held(process);
      },
    };
  }

  /** The others notice that it is gone. */
  die(process: string): void {
    for (let at = this.#waiting.length - 1; at >= 0; at--)
      if (this.#waiting[at]!.process === process) this.#waiting.splice(at, 1);
    if (this.#holder === process) this.#passOn();
  }

  #held(process: string): HeldLock {
    let isHeld = true;
    return {
      release: async () => {
        if (isHeld && this.#holder === process) this.#passOn();
        isHeld = false;
      },
    };
  }

  #passOn(): void {
    const next = this.#waiting.shift();
    this.#holder = next?.process;
    next?.grant();
  }
}

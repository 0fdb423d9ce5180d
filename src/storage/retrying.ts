import { checkNotAborted, pause } from '../base/abort.ts';
import { isTransient } from './failures.ts';
import type { SharedCell, StorageBackend, StorageFile, StorageProvider } from './storage.ts';

/**
 * Tries again what has failed for a reason that may pass, as the backend's own table of errors says (fs-errors.ts,
 * browser-errors.ts). All that is tried again may be done twice: writes say where they go, and a replacement writes the
 * whole file anew. `append()` may not, so it is handed on as it is, and so is `close()`.
 */

/**
 * What passes at all (a virus scanner's look at a file, a burst of open files, a transaction that the browser gave up)
 * has passed within a second; whoever waits for a write should hear of anything longer.
 * Eight attempts and their pauses take 0.55 to 1.1 seconds.
 */
export const ATTEMPTS_MAX = 8;
export const DELAY_MS_MIN = 10;
export const DELAY_MS_MAX = 500;

export interface RetryOptions {
  /** Called before each pause. @param attempt that has failed, from 1 */
  onRetry?: (error: unknown, attempt: number) => void;
  /** Ends the pauses of `open`, `exists` and `destroy`; they fail with ABORTED then. */
  signal?: AbortSignal;
  /** Tests wait no real time. Resolves early when the signal is aborted. */
  pause?: (delayMs: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 to 1, as Math.random. */
  random?: () => number;
}

/** The same places, opened, looked for and removed with patience; what is opened is as patient, until it is closed. */
export function retrying(provider: StorageProvider, options: RetryOptions = {}): StorageProvider {
  const { signal } = options;
  const attempt = <T>(operation: () => Promise<T>): Promise<T> =>
    retry(operation, options, signal).catch((thrown) => {
      if (isTransient(thrown)) checkNotAborted(signal);
      throw thrown;
    });
  return {
    kind: provider.kind,
    open: async (location, how) =>
      new RetryingBackend(await attempt(() => provider.open(location, how)), options),
    exists: (location) => attempt(() => provider.exists(location)),
    destroy: (location) => attempt(() => provider.destroy(location)),
  };
}

type Attempt = <T>(operation: () => Promise<T>) => Promise<T>;

class RetryingBackend implements StorageBackend {
  readonly kind: StorageBackend['kind'];
  readonly capabilities: StorageBackend['capabilities'];
  /** Handed on: it never fails. */
  readonly cell?: (name: string) => SharedCell;
  readonly lost: StorageBackend['lost'];
  readonly #backend: StorageBackend;
  readonly #closing = new AbortController();
  readonly #attempt: Attempt;

  constructor(backend: StorageBackend, options: RetryOptions) {
    this.#backend = backend;
    this.kind = backend.kind;
    this.lost = backend.lost;
    this.capabilities = backend.capabilities;
    if (backend.cell) this.cell = backend.cell.bind(backend);
    this.#attempt = (operation) => retry(operation, options, this.#closing.signal);
  }

  list(): Promise<string[]> {
    return this.#attempt(() => this.#backend.list());
  }

  async open(name: string, options?: { create?: boolean }): Promise<StorageFile> {
    const file = await this.#attempt(() => this.#backend.open(name, options));
    return new RetryingFile(file, this.#attempt);
  }

  remove(name: string): Promise<void> {
    return this.#attempt(() => this.#backend.remove(name));
  }

  replace(name: string, content: Uint8Array): Promise<void> {
    return this.#attempt(() => this.#backend.replace(name, content));
  }

  load(name: string): Promise<Uint8Array | undefined> {
    return this.#attempt(() => this.#backend.load(name));
  }

  usageBytes(): Promise<number> {
    return this.#attempt(() => this.#backend.usageBytes());
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.#backend.close();
  }
}

class RetryingFile implements StorageFile {
  readonly name: string;
  readonly #file: StorageFile;
  readonly #attempt: Attempt;

  constructor(file: StorageFile, attempt: Attempt) {
    this.name = file.name;
    this.#file = file;
    this.#attempt = attempt;
  }

  size(): Promise<number> {
    return this.#attempt(() => this.#file.size());
  }

  read(offset: number, length: number, room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return this.#attempt(() => this.#file.read(offset, length, room));
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#attempt(() => this.#file.write(offset, bytes));
  }

  append(bytes: Uint8Array): Promise<number> {
    return this.#file.append(bytes);
  }

  truncate(size: number): Promise<void> {
    return this.#attempt(() => this.#file.truncate(size));
  }

  flush(): Promise<void> {
    return this.#attempt(() => this.#file.flush());
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** @throws what the last attempt threw */
async function retry<T>(
  operation: () => Promise<T>,
  { onRetry, pause: wait = pause, random = Math.random }: RetryOptions,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (thrown) {
      if (!isTransient(thrown) || attempt === ATTEMPTS_MAX || signal?.aborted) throw thrown;
      onRetry?.(thrown, attempt);
      const delayMs = Math.min(DELAY_MS_MIN * 2 ** (attempt - 1), DELAY_MS_MAX);
      await wait(delayMs * (0.5 + random() / 2), signal); // jitter, so that those who met do not meet again
      if (signal?.aborted) throw thrown;
    }
  }
}

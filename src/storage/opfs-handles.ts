import { IsovecError } from '../base/errors.ts';
import { exceptionName } from './browser-errors.ts';
import { backendClosed } from './failures.ts';

/** Safari allows about 250 open handles per origin, and an origin may have several databases. */
const OPEN_HANDLES_MAX = 32;

/** A killed holder's handle is free after about 70 ms (Chromium, Firefox); a busy machine takes longer. */
const HANDLE_WAIT_MS_MAX = 2000;
const RETRY_MS_MIN = 5;
const RETRY_MS_MAX = 100;

/** The part of FileSystemSyncAccessHandle that is used: only a dedicated worker has it. */
export interface SyncAccessHandle {
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

interface MaybeSyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle?: () => Promise<SyncAccessHandle>;
}

export function syncHandlesUnsupported(cause?: unknown): IsovecError {
  return new IsovecError(
    'UNSUPPORTED',
    'OPFS cannot be written here: synchronous access handles are only to be had in a dedicated worker',
    cause === undefined ? {} : { cause },
  );
}

/** Sync access handles are exclusive: one context has a file open, others are refused. */
export async function openSyncHandle(file: FileSystemFileHandle): Promise<SyncAccessHandle> {
  const candidate: MaybeSyncFileHandle = file;
  const { createSyncAccessHandle } = candidate;
  if (!createSyncAccessHandle) throw syncHandlesUnsupported();
  return retryWhileHeld(() => createSyncAccessHandle.call(file));
}

/** Repeats what another context's handle stands in the way of. */
export async function retryWhileHeld<T>(operation: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + HANDLE_WAIT_MS_MAX;
  for (let wait = RETRY_MS_MIN; ; wait = Math.min(wait * 2, RETRY_MS_MAX)) {
    try {
      return await operation();
    } catch (thrown) {
      const isHeld = exceptionName(thrown) === 'NoModificationAllowedError';
      if (!isHeld || performance.now() > deadline) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Handles to the files of one directory: opened when needed, the one longest unused closed when there are too many. */
export class HandlePool {
  readonly #directory: FileSystemDirectoryHandle;
  readonly #location: string;
  /** The longest unused first. */
  readonly #open = new Map<string, SyncAccessHandle>();
  readonly #opening = new Map<string, Promise<void>>();
  #closed = false;

  constructor(directory: FileSystemDirectoryHandle, location: string) {
    this.#directory = directory;
    this.#location = location;
  }

  /**
   * @param operation must not wait for anything, for afterwards the handle may be closed
   * @throws DOMException NotFoundError when there is no such file
   */
  async use<T>(entry: string, operation: (handle: SyncAccessHandle) => T): Promise<T> {
    for (;;) {
      const handle = this.#open.get(entry);
      if (handle) {
        this.#open.delete(entry);
        this.#open.set(entry, handle);
        return operation(handle);
      }
      let opening = this.#opening.get(entry);
      if (!opening) {
        opening = this.#openHandle(entry).finally(() => this.#opening.delete(entry));
        this.#opening.set(entry, opening);
      }
      await opening;
    }
  }

  /** For what can be answered without a handle. */
  openHandle(entry: string): SyncAccessHandle | undefined {
    return this.#open.get(entry);
  }

  /** So that the file can be removed. */
  async release(entry: string): Promise<void> {
    await this.#opening.get(entry)?.catch(() => {}); // whoever opens is told
    this.#open.get(entry)?.close();
    this.#open.delete(entry);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#opening.values());
    for (const handle of this.#open.values()) handle.close();
    this.#open.clear();
  }

  async #openHandle(entry: string): Promise<void> {
    const file = await this.#directory.getFileHandle(entry);
    while (this.#open.size + this.#opening.size > OPEN_HANDLES_MAX && this.#closeOldest());
    const handle = await openSyncHandle(file);
    this.#open.set(entry, handle);
    if (this.#closed) throw backendClosed(this.#location);
  }

  /** Closing loses no unflushed write: the next handle's flush reaches the same file. */
  #closeOldest(): boolean {
    for (const [entry, handle] of this.#open) {
      this.#open.delete(entry);
      handle.close();
      return true;
    }
    return false;
  }
}

/** A single write may stop short. */
export function writeFully(handle: SyncAccessHandle, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    const written = handle.write(done === 0 ? bytes : bytes.subarray(done), { at: offset + done });
    if (written === 0) throw new DOMException('no byte could be written', 'QuotaExceededError');
    done += written;
  }
}

/** Fills `bytes`. @returns fewer where the file ends */
export function readUpTo(
  handle: SyncAccessHandle,
  offset: number,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  let done = 0;
  while (done < bytes.length) {
    const read = handle.read(bytes.subarray(done), { at: offset + done });
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

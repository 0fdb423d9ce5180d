import { exceptionName, translated } from './browser-errors.ts';
import {
  assertPosition,
  backendClosed,
  fileClosed,
  fileMissing,
  shortRead,
  writingRefused,
} from './failures.ts';
import { encodeFileName } from './file-name.ts';
import { listNames, orUndefined, ownEntries } from './opfs-directory.ts';
import { readSlots, SLOT_ENDINGS, slotsDamaged } from './opfs-slots.ts';
import type { StorageBackend, StorageCapabilities, StorageFile, StorageKind } from './storage.ts';

/** A `File` is a snapshot that can no longer be read once its file has changed, and a writer may change it often. */
const READ_ATTEMPTS_MAX = 20;

/**
 * OPFS for reading only, through `getFile()`: it needs no handle, so it works on pages, beside a writer and beside
 * other readers. (Handles of mode 'read-only' would be faster, but only Chromium has them, and a writer's handle
 * excludes them.)
 */
export class OpfsReader implements StorageBackend {
  readonly kind: StorageKind = 'opfs';
  readonly capabilities: StorageCapabilities = {
    persistent: true,
    durableFlush: true,
    sharedReads: true,
    sharedWrites: false,
  };
  readonly #location: string;
  readonly #directory: FileSystemDirectoryHandle;
  #closed = false;

  constructor(location: string, directory: FileSystemDirectoryHandle) {
    this.#location = location;
    this.#directory = directory;
  }

  async list(): Promise<string[]> {
    this.#assertOpen();
    return this.#attempt('list the files', () => listNames(this.#directory));
  }

  async open(name: string, options: { create?: boolean } = {}): Promise<StorageFile> {
    this.#assertOpen();
    const entry = encodeFileName(name);
    return this.#attempt(`open '${name}'`, async () => {
      const file = new OpfsReaderFile(name, this.#location, () => this.#snapshot(entry), this);
      if (await this.#snapshot(entry)) return file;
      throw options.create ? writingRefused(this.#location, name) : fileMissing(this.#location, name);
    });
  }

  async remove(name: string): Promise<void> {
    this.#assertOpen();
    throw writingRefused(this.#location, name);
  }

  async replace(name: string): Promise<void> {
    this.#assertOpen();
    throw writingRefused(this.#location, name);
  }

  async load(name: string): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    const entry = encodeFileName(name);
    return this.#attempt(`load '${name}'`, async () => {
      // A writer that replaces twice while both slots are read makes both of them look torn: look again.
      for (let attempts = 1; ; attempts++) {
        const { newest, isDamaged } = readSlots(
          await Promise.all(SLOT_ENDINGS.map((ending) => this.#whole(entry + ending))),
        );
        if (!isDamaged) return newest?.content;
        if (attempts === READ_ATTEMPTS_MAX) throw slotsDamaged(this.#location, name);
      }
    });
  }

  async usageBytes(): Promise<number> {
    this.#assertOpen();
    return this.#attempt('measure the files', async () => {
      let total = 0;
      for (const entry of await ownEntries(this.#directory))
        total += (await this.#snapshot(entry))?.size ?? 0;
      return total;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  #whole(entry: string): Promise<Uint8Array | undefined> {
    return readStable(async () => {
      const snapshot = await this.#snapshot(entry);
      return snapshot && new Uint8Array(await snapshot.arrayBuffer());
    });
  }

  async #snapshot(entry: string): Promise<File | undefined> {
    const handle = await orUndefined(this.#directory.getFileHandle(entry));
    return handle && orUndefined(handle.getFile());
  }

  #attempt<T>(what: string, operation: () => Promise<T>): Promise<T> {
    return translated(`${what} in '${this.#location}'`, { location: this.#location }, operation);
  }

  #assertOpen(): void {
    if (this.#closed) throw backendClosed(this.#location);
  }
}

class OpfsReaderFile implements StorageFile {
  readonly name: string;
  readonly #location: string;
  readonly #snapshot: () => Promise<File | undefined>;
  readonly #backend: OpfsReader;
  #closed = false;

  constructor(
    name: string,
    location: string,
    snapshot: () => Promise<File | undefined>,
    backend: OpfsReader,
  ) {
    this.name = name;
    this.#location = location;
    this.#snapshot = snapshot;
    this.#backend = backend;
  }

  size(): Promise<number> {
    return this.#attempt('measure', async (file) => file.size);
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    assertPosition(offset, 'offset');
    assertPosition(length, 'length');
    return this.#attempt('read', async (file) => {
      if (offset + length > file.size) throw shortRead(this.#location, this.name, offset, length, file.size);
      return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    });
  }

  write(): Promise<void> {
    return this.#attempt('write', () => Promise.reject(writingRefused(this.#location, this.name)));
  }

  append(): Promise<number> {
    return this.#attempt('append to', () => Promise.reject(writingRefused(this.#location, this.name)));
  }

  truncate(): Promise<void> {
    return this.#attempt('truncate', () => Promise.reject(writingRefused(this.#location, this.name)));
  }

  flush(): Promise<void> {
    return this.#attempt('flush', async () => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #attempt<T>(verb: string, operation: (file: File) => Promise<T>): Promise<T> {
    if (this.#closed || this.#backend.isClosed) throw fileClosed(this.#location, this.name);
    const details = { location: this.#location, file: this.name };
    return translated(`${verb} '${this.name}' in '${this.#location}'`, details, () =>
      readStable(async () => {
        const file = await this.#snapshot();
        if (!file) throw fileMissing(this.#location, this.name);
        return operation(file);
      }),
    );
  }
}

/** What is thrown by a snapshot whose file has changed. */
const OUTDATED_EXCEPTIONS = new Set(['NotReadableError', 'NotFoundError', 'AbortError']);

async function readStable<T>(read: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await read();
    } catch (thrown) {
      if (attempts === READ_ATTEMPTS_MAX || !OUTDATED_EXCEPTIONS.has(exceptionName(thrown) ?? ''))
        throw thrown;
    }
  }
}

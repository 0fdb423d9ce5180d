import {
  assertPosition,
  backendClosed,
  fileClosed,
  fileMissing,
  placeMissing,
  shortRead,
  writingRefused,
} from './failures.ts';
import type {
  SharedCell,
  StorageBackend,
  StorageCapabilities,
  StorageFile,
  StorageKind,
  StorageProvider,
} from './storage.ts';

/** Small enough for many little files; doubling makes growth cheap from there. */
const CAPACITY_MIN_BYTES = 1024;

/** Bytes that grow by doubling. What lies past `length` is zero. */
export class GrowableBytes {
  #bytes = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  copy(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(offset, offset + length);
  }

  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (offset + bytes.length > this.#length) this.resize(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  resize(length: number): void {
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2, CAPACITY_MIN_BYTES));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    } else if (length < this.#length) {
      this.#bytes.fill(0, length, this.#length);
    }
    this.#length = length;
  }
}

/** What a memory database holds. Kept by a caller, it can be given to another backend: a reopening. */
export class MemoryFiles extends Map<string, GrowableBytes> {}

/** Files in this thread's memory: nothing survives unless the caller keeps the `MemoryFiles`. */
export class MemoryBackend implements StorageBackend {
  readonly kind: StorageKind = 'memory';
  readonly capabilities: StorageCapabilities = {
    persistent: false,
    durableFlush: false,
    sharedReads: true,
    sharedWrites: true,
  };
  readonly #location: string;
  readonly #files: MemoryFiles;
  readonly #readOnly: boolean;
  #closed = false;

  constructor(location: string, files: MemoryFiles = new MemoryFiles(), readOnly = false) {
    this.#location = location;
    this.#files = files;
    this.#readOnly = readOnly;
  }

  async list(): Promise<string[]> {
    this.#assertOpen();
    return [...this.#files.keys()];
  }

  async open(name: string, options: { create?: boolean } = {}): Promise<StorageFile> {
    this.#assertOpen();
    let content = this.#files.get(name);
    if (!content) {
      if (!options.create) throw fileMissing(this.#location, name);
      this.assertWritable(name);
      content = new GrowableBytes();
      this.#files.set(name, content);
    }
    return new MemoryFile(name, this.#location, content, this);
  }

  async remove(name: string): Promise<void> {
    this.#assertOpen();
    this.assertWritable(name);
    this.#files.delete(name);
  }

  async replace(name: string, content: Uint8Array): Promise<void> {
    this.#assertOpen();
    this.assertWritable(name);
    const replaced = new GrowableBytes();
    replaced.write(0, content);
    this.#files.set(name, replaced);
  }

  async load(name: string): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    const content = this.#files.get(name);
    return content?.copy(0, content.length);
  }

  async usageBytes(): Promise<number> {
    this.#assertOpen();
    let total = 0;
    for (const content of this.#files.values()) total += content.length;
    return total;
  }

  cell(name: string): SharedCell {
    return {
      read: () => {
        const content = this.#files.get(name);
        return content ? content.copy(0, content.length) : new Uint8Array();
      },
      write: (bytes) => {
        const content = this.#files.get(name) ?? new GrowableBytes();
        this.#files.set(name, content);
        content.write(0, bytes);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  assertWritable(name: string): void {
    if (this.#readOnly) throw writingRefused(this.#location, name);
  }

  #assertOpen(): void {
    if (this.#closed) throw backendClosed(this.#location);
  }
}

class MemoryFile implements StorageFile {
  readonly name: string;
  readonly #location: string;
  readonly #content: GrowableBytes;
  readonly #backend: MemoryBackend;
  #closed = false;

  constructor(name: string, location: string, content: GrowableBytes, backend: MemoryBackend) {
    this.name = name;
    this.#location = location;
    this.#content = content;
    this.#backend = backend;
  }

  async size(): Promise<number> {
    this.#assertOpen();
    return this.#content.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#assertOpen();
    assertPosition(offset, 'offset');
    assertPosition(length, 'length');
    const size = this.#content.length;
    if (offset + length > size) throw shortRead(this.#location, this.name, offset, length, size);
    return this.#content.copy(offset, length);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#assertOpen();
    this.#backend.assertWritable(this.name);
    assertPosition(offset, 'offset');
    this.#content.write(offset, bytes);
  }

  async append(bytes: Uint8Array): Promise<number> {
    this.#assertOpen();
    this.#backend.assertWritable(this.name);
    const offset = this.#content.length;
    this.#content.write(offset, bytes);
    return offset;
  }

  async truncate(size: number): Promise<void> {
    this.#assertOpen();
    this.#backend.assertWritable(this.name);
    assertPosition(size, 'size');
    this.#content.resize(size);
  }

  async flush(): Promise<void> {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #assertOpen(): void {
    if (this.#closed || this.#backend.isClosed) throw fileClosed(this.#location, this.name);
  }
}

/** Each `open()` is a place of its own: a memory database is gone once it is closed. */
export class MemoryProvider implements StorageProvider {
  readonly kind: StorageKind = 'memory';

  async open(location: string, options: { create: boolean; readOnly: boolean }): Promise<StorageBackend> {
    if (!options.create || options.readOnly) throw placeMissing(location);
    return new MemoryBackend(location);
  }

  async exists(_location: string): Promise<boolean> {
    return false;
  }

  async destroy(_location: string): Promise<void> {}
}

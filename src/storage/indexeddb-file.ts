import { assertPosition, fileClosed, fileMissing, shortRead, writingRefused } from './failures.ts';
import type { BlockDatabase, FileEntry } from './indexeddb-blocks.ts';
import { readStored, type WrittenContent } from './indexeddb-content.ts';
import type { StorageFile } from './storage.ts';

/** What a file needs to know of the backend that opened it. */
export interface FileOwner {
  readonly location: string;
  readonly isClosed: boolean;
}

export class IndexedDbFile implements StorageFile {
  readonly name: string;
  readonly #content: WrittenContent;
  readonly #owner: FileOwner;
  #closed = false;

  constructor(name: string, content: WrittenContent, owner: FileOwner) {
    this.name = name;
    this.#content = content;
    this.#owner = owner;
  }

  async size(): Promise<number> {
    this.#assertOpen();
    return this.#content.sizeBytes;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#assertOpen();
    assertPosition(offset, 'offset');
    assertPosition(length, 'length');
    const size = this.#content.sizeBytes;
    if (offset + length > size) throw shortRead(this.#owner.location, this.name, offset, length, size);
    return this.#content.read(offset, length);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#assertOpen();
    assertPosition(offset, 'offset');
    await this.#content.write(offset, bytes);
  }

  async append(bytes: Uint8Array): Promise<number> {
    this.#assertOpen();
    const offset = this.#content.sizeBytes;
    await this.#content.write(offset, bytes);
    return offset;
  }

  async truncate(size: number): Promise<void> {
    this.#assertOpen();
    assertPosition(size, 'size');
    await this.#content.truncate(size);
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    await this.#content.commit();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #assertOpen(): void {
    if (this.#closed || this.#owner.isClosed) throw fileClosed(this.#owner.location, this.name);
  }
}

/** A file that another context may be writing: each call looks anew. */
export class IndexedDbReaderFile implements StorageFile {
  readonly name: string;
  readonly #database: BlockDatabase;
  readonly #owner: FileOwner;
  #closed = false;

  constructor(name: string, database: BlockDatabase, owner: FileOwner) {
    this.name = name;
    this.#database = database;
    this.#owner = owner;
  }

  async size(): Promise<number> {
    return (await this.#entry()).sizeBytes;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    assertPosition(offset, 'offset');
    assertPosition(length, 'length');
    const entry = await this.#entry();
    if (offset + length > entry.sizeBytes)
      throw shortRead(this.#owner.location, this.name, offset, length, entry.sizeBytes);
    return readStored(this.#database, entry, offset, length);
  }

  async write(): Promise<void> {
    this.#refuse();
  }

  async append(): Promise<number> {
    return this.#refuse();
  }

  async truncate(): Promise<void> {
    this.#refuse();
  }

  async flush(): Promise<void> {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #entry(): Promise<FileEntry> {
    this.#assertOpen();
    const entry = await this.#database.findFile(this.name);
    if (!entry) throw fileMissing(this.#owner.location, this.name);
    return entry;
  }

  #refuse(): never {
    this.#assertOpen();
    throw writingRefused(this.#owner.location, this.name);
  }

  #assertOpen(): void {
    if (this.#closed || this.#owner.isClosed) throw fileClosed(this.#owner.location, this.name);
  }
}

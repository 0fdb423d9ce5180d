import { IsovecError } from '../base/errors.ts';
import { translated } from './browser-errors.ts';
import { assertNamed, backendClosed, fileMissing, placeMissing, writingRefused } from './failures.ts';
import { BlockDatabase, databaseExists, deleteDatabase } from './indexeddb-blocks.ts';
import { WrittenContent } from './indexeddb-content.ts';
import { type FileOwner, IndexedDbFile, IndexedDbReaderFile } from './indexeddb-file.ts';
import type {
  StorageBackend,
  StorageCapabilities,
  StorageFile,
  StorageKind,
  StorageProvider,
} from './storage.ts';

/** One IndexedDB database per isovec database: on pages and in workers of every browser. */
export class IndexedDbProvider implements StorageProvider {
  readonly kind: StorageKind = 'indexeddb';

  /** @throws IsovecError UNSUPPORTED where there is no IndexedDB, FORMAT_VERSION for one of a newer isovec, besides what
   *          every provider throws */
  async open(location: string, options: { create: boolean; readOnly: boolean }): Promise<StorageBackend> {
    assertAvailable(location);
    return translated(`open '${location}' in IndexedDB`, { location }, async () => {
      if (!options.create || options.readOnly)
        if (!(await databaseExists(location))) throw placeMissing(location);
      return new IndexedDbBackend(location, await BlockDatabase.open(location), options.readOnly);
    });
  }

  async exists(location: string): Promise<boolean> {
    assertAvailable(location);
    return translated(`look for '${location}' in IndexedDB`, { location }, () => databaseExists(location));
  }

  async destroy(location: string): Promise<void> {
    assertAvailable(location);
    await translated(`remove '${location}' from IndexedDB`, { location }, () => deleteDatabase(location));
  }
}

function assertAvailable(location: string): void {
  assertNamed(location);
  if (typeof indexedDB === 'undefined') throw new IsovecError('UNSUPPORTED', 'there is no IndexedDB here');
}

class IndexedDbBackend implements StorageBackend, FileOwner {
  readonly kind: StorageKind = 'indexeddb';
  readonly capabilities: StorageCapabilities = {
    persistent: true,
    durableFlush: true,
    sharedReads: true,
    sharedWrites: false,
  };
  readonly location: string;
  readonly #database: BlockDatabase;
  readonly #readOnly: boolean;
  /** Every file opened so far, closed ones too: what has not been flushed is only here. */
  readonly #contents = new Map<string, Promise<WrittenContent>>();
  #closing: Promise<void> | undefined;

  constructor(location: string, database: BlockDatabase, readOnly: boolean) {
    this.location = location;
    this.#database = database;
    this.#readOnly = readOnly;
  }

  get lost(): string | undefined {
    return this.#database.dataLoss;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  async list(): Promise<string[]> {
    this.#assertOpen();
    return (await this.#database.listFiles()).map(({ name }) => name);
  }

  async open(name: string, options: { create?: boolean } = {}): Promise<StorageFile> {
    this.#assertOpen();
    if (this.#readOnly) return this.#openForReading(name, options);
    let content = this.#contents.get(name);
    if (!content) {
      content = this.#findOrCreate(name, options);
      this.#contents.set(name, content);
      content.catch(() => this.#contents.delete(name)); // whoever waits for it is told
    }
    return new IndexedDbFile(name, await content, this);
  }

  async remove(name: string): Promise<void> {
    this.#assertOpen();
    this.#assertWritable(name);
    this.#contents.delete(name);
    await this.#database.removeFile(name);
  }

  async replace(name: string, content: Uint8Array): Promise<void> {
    this.#assertOpen();
    this.#assertWritable(name);
    await this.#database.replace(name, content.slice()); // a view would be stored with all of its buffer
  }

  async load(name: string): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    return this.#database.load(name);
  }

  async usageBytes(): Promise<number> {
    this.#assertOpen();
    let total = 0;
    for (const { name, sizeBytes } of await this.#database.listFiles())
      total += (await this.#contents.get(name))?.sizeBytes ?? sizeBytes;
    return total;
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeDatabase();
    return this.#closing;
  }

  /** What was written without a flush is there at the next opening, as with any file, unless it cannot be. */
  async #closeDatabase(): Promise<void> {
    const commits = [...this.#contents.values()].map(async (content) => (await content).commit());
    await Promise.allSettled(commits);
    this.#database.close();
  }

  async #openForReading(name: string, options: { create?: boolean }): Promise<StorageFile> {
    if (await this.#database.findFile(name)) return new IndexedDbReaderFile(name, this.#database, this);
    throw options.create ? writingRefused(this.location, name) : fileMissing(this.location, name);
  }

  async #findOrCreate(name: string, options: { create?: boolean }): Promise<WrittenContent> {
    const found = await this.#database.findFile(name);
    if (!found && !options.create) throw fileMissing(this.location, name);
    const entry = found ?? (await this.#database.createFile(name));
    return new WrittenContent(this.#database, entry);
  }

  #assertOpen(): void {
    if (this.isClosed) throw backendClosed(this.location);
  }

  #assertWritable(name: string): void {
    if (this.#readOnly) throw writingRefused(this.location, name);
  }
}

import {
  type DBSchema,
  deleteDB,
  type IDBPDatabase,
  type IDBPObjectStore,
  type IDBPTransaction,
  openDB,
} from 'idb';
import { IsovecError } from '../base/errors.ts';
import { exceptionName, translated } from './browser-errors.ts';

/**
 * Measured in Chromium on disk, 8 to 256 KB, medians of five rounds on a busy machine. Chromium keeps each value from
 * 64 KB on as a file of its own, which makes long reads faster (69 MB/s here, 143 at 256 KB) but all else slower: an
 * append of 150 KB with its flush takes 4 ms here, 7 at 64 KB and 11 at 256; a random read 0.6, 1.1 and 1.6 ms. Below,
 * long reads slow down (32 MB/s at 16 KB). An append of 1.5 KB with its flush takes 2 ms anywhere.
 */
export const BLOCK_BYTES = 48 * 1024;

/** How many blocks are fetched at a time, which bounds what a long read holds twice: 3 MB. */
const FETCH_BLOCKS_MAX = 64;

/** Raised with every change of the stores below. */
const DATABASE_VERSION = 1;

/** How long a deletion waits for other contexts to close; they are told to, and do so at once unless they are frozen. */
const DELETION_WAIT_MS_MAX = 5000;

export interface FileEntry {
  id: number;
  name: string;
  sizeBytes: number;
}

interface Schema extends DBSchema {
  files: { key: number; value: FileEntry; indexes: { name: string } };
  /**
   * By file and index. A block may be shorter than BLOCK_BYTES, or absent: the rest is zeros.
   * A replaced file is one block of any length.
   */
  blocks: { key: [file: number, index: number]; value: Uint8Array };
}

/** What Chromium tells of an origin's databases that it has found damaged and removed; nobody else does. */
interface ChromiumUpgrade {
  dataLoss?: 'none' | 'total';
  dataLossMessage?: string;
}

/** What a flush puts on the device at once. */
export interface BlockChanges {
  file: FileEntry;
  /** Blocks from this index on are dropped before the others are put. */
  dropFrom?: number;
  blocks: [index: number, bytes: Uint8Array][];
}

export type TakeBlock = (index: number, bytes: Uint8Array) => void;

export function databaseName(location: string): string {
  return `isovec:${location}`;
}

export async function databaseExists(location: string): Promise<boolean> {
  const databases = await indexedDB.databases();
  return databases.some(({ name }) => name === databaseName(location));
}

/** Other contexts close when they hear of it. */
export async function deleteDatabase(location: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error('another tab or worker keeps the database open'));
    timer = setTimeout(giveUp, DELETION_WAIT_MS_MAX);
  });
  try {
    await Promise.race([deleteDB(databaseName(location)), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** One IndexedDB database: files as rows of blocks. Each method is one transaction. */
export class BlockDatabase {
  readonly #location: string;
  #database: IDBPDatabase<Schema> | undefined;
  #lostBecause: string | undefined;
  #dataLoss: string | undefined;

  private constructor(location: string) {
    this.#location = location;
  }

  static async open(location: string): Promise<BlockDatabase> {
    const opened = new BlockDatabase(location);
    try {
      opened.#database = await openDB<Schema>(databaseName(location), DATABASE_VERSION, {
        upgrade(database, _before, _after, _transaction, event) {
          const { dataLoss, dataLossMessage } = event as ChromiumUpgrade;
          if (dataLoss === 'total') opened.#dataLoss = dataLossMessage || 'it gives no reason';
          const files = database.createObjectStore('files', { keyPath: 'id', autoIncrement: true });
          files.createIndex('name', 'name', { unique: true });
          database.createObjectStore('blocks');
        },
        blocking: () => opened.#lose('another tab or worker removes or upgrades the database'),
        terminated: () => opened.#lose('the browser closed the database, as when site data is cleared'),
      });
    } catch (cause) {
      if (exceptionName(cause) !== 'VersionError') throw cause;
      throw new IsovecError('FORMAT_VERSION', `'${location}' was written by a newer isovec`, {
        details: { location },
        cause,
      });
    }
    return opened;
  }

  /** Why the browser has begun it anew, where it says so. */
  get dataLoss(): string | undefined {
    return this.#dataLoss;
  }

  listFiles(): Promise<FileEntry[]> {
    return this.#read('list the files', ({ files }) => files.getAll());
  }

  findFile(name: string): Promise<FileEntry | undefined> {
    return this.#read(`look for '${name}'`, ({ files }) => files.index('name').get(name));
  }

  createFile(name: string): Promise<FileEntry> {
    return this.#write(`make '${name}'`, async ({ files }) => {
      const entry = { name, sizeBytes: 0 };
      return { ...entry, id: await files.add(entry as FileEntry) };
    });
  }

  commit({ file, dropFrom, blocks: changed }: BlockChanges): Promise<void> {
    return this.#write(`write '${file.name}'`, async ({ files, blocks }) => {
      if (dropFrom !== undefined) await blocks.delete(blockRange(file.id, dropFrom));
      await Promise.all([
        files.put(file),
        ...changed.map(async ([index, bytes]) => blocks.put(bytes, [file.id, index])),
      ]);
    });
  }

  replace(name: string, content: Uint8Array): Promise<void> {
    return this.#write(`replace '${name}'`, async ({ files, blocks }) => {
      const before = await files.index('name').getKey(name);
      const entry = { ...(before !== undefined && { id: before }), name, sizeBytes: content.length };
      await blocks.put(content, [await files.put(entry as FileEntry), 0]);
    });
  }

  load(name: string): Promise<Uint8Array | undefined> {
    return this.#read(`load '${name}'`, async ({ files, blocks }) => {
      const id = await files.index('name').getKey(name);
      return id === undefined ? undefined : blocks.get([id, 0]);
    });
  }

  removeFile(name: string): Promise<void> {
    return this.#write(`remove '${name}'`, async ({ files, blocks }) => {
      const id = await files.index('name').getKey(name);
      if (id === undefined) return;
      await Promise.all([files.delete(id), blocks.delete(blockRange(id, 0))]);
    });
  }

  /** Hands over those blocks from `first` to `last` (both included) that there are. */
  async readBlocks(file: FileEntry, first: number, last: number, take: TakeBlock): Promise<void> {
    for (let from = first; from <= last; from += FETCH_BLOCKS_MAX)
      await this.#fetchBlocks(file, from, Math.min(last, from + FETCH_BLOCKS_MAX - 1), take);
  }

  close(): void {
    this.#database?.close();
  }

  #fetchBlocks(file: FileEntry, first: number, last: number, take: TakeBlock): Promise<void> {
    return this.#read(`read '${file.name}'`, async ({ blocks }) => {
      if (first === last) {
        const block = await blocks.get([file.id, first]);
        if (block) take(first, block);
        return;
      }
      const range = IDBKeyRange.bound([file.id, first], [file.id, last]);
      const [keys, found] = await Promise.all([blocks.getAllKeys(range), blocks.getAll(range)]);
      for (const [at, [, index]] of keys.entries()) take(index, found[at]!);
    });
  }

  /** The next call fails with STORAGE_IO. */
  #lose(because: string): void {
    this.#lostBecause = because;
    this.close();
  }

  #read<T>(what: string, operation: (stores: Stores<'readonly'>) => Promise<T>): Promise<T> {
    return this.#attempt(what, (database) => {
      const transaction = database.transaction(STORE_NAMES);
      return complete(transaction, operation);
    });
  }

  /**
   * Always strict, also where nobody waits for the device: what a relaxed transaction wrote may be lost although a later
   * strict one is kept (LevelDB syncs only its newest log), and a flush would have promised both.
   */
  #write<T>(what: string, operation: (stores: Stores<'readwrite'>) => Promise<T>): Promise<T> {
    return this.#attempt(what, (database) => {
      const transaction = database.transaction(STORE_NAMES, 'readwrite', { durability: 'strict' });
      return complete(transaction, operation);
    });
  }

  #attempt<T>(what: string, operation: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    return translated(`${what} in '${this.#location}'`, { location: this.#location }, async () => {
      if (this.#lostBecause !== undefined) throw new Error(this.#lostBecause);
      return operation(this.#database!);
    });
  }
}

const STORE_NAMES: StoreName[] = ['files', 'blocks'];

type StoreName = 'files' | 'blocks';

interface Stores<Mode extends 'readonly' | 'readwrite'> {
  files: IDBPObjectStore<Schema, StoreName[], 'files', Mode>;
  blocks: IDBPObjectStore<Schema, StoreName[], 'blocks', Mode>;
}

/** Waits for the whole transaction. Its own error says why it failed; a request may only hear that it was aborted. */
async function complete<T, Mode extends 'readonly' | 'readwrite'>(
  transaction: IDBPTransaction<Schema, StoreName[], Mode>,
  operation: (stores: Stores<Mode>) => Promise<T>,
): Promise<T> {
  const done = transaction.done.then(
    () => true,
    () => false,
  );
  try {
    const answer = await operation({
      files: transaction.objectStore('files'),
      blocks: transaction.objectStore('blocks'),
    });
    if (await done) return answer;
  } catch (thrown) {
    abort(transaction);
    await done;
    throw transaction.error ?? thrown;
  }
  throw transaction.error ?? new DOMException('the transaction was aborted', 'AbortError');
}

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It is over already.
  }
}

function blockRange(id: number, first: number): IDBKeyRange {
  return IDBKeyRange.bound([id, first], [id, Number.POSITIVE_INFINITY]);
}

/** The worker's end: a database in this thread, served over comlink. */
import * as Comlink from 'comlink';
import type {
  CollectionConfig,
  Filter,
  Hit,
  Metadata,
  Query,
  RecordInput,
  StoredRecord,
  WriteOptions,
} from '../base/api.ts';
import { assert, errorToImage } from '../base/errors.ts';
import type { LocalCollection } from '../store/collection.ts';
import type { LocalDatabase } from '../store/database.ts';
import { openLocal } from '../store/open.ts';
import type { Platform } from '../store/platform.ts';
import { HostTransactions } from './host-transactions.ts';
import { unpackRecords, vectorBuffers } from './packing.ts';
import {
  type Answer,
  type CollectionMethod,
  type DatabaseMethod,
  type EventMessage,
  type HostProtocol,
  OPENING_ABORT_ID,
  type PackedRecords,
  type RecordMethod,
  type RemoteOpenOptions,
  type RemoteWriteOptions,
  type ScanOptions,
  type TransactionMethod,
} from './protocol.ts';

type Scan = AsyncGenerator<StoredRecord<Metadata>[], void, undefined>;

export class Host implements HostProtocol {
  readonly #platform: Platform;
  readonly #collections: LocalCollection<Metadata>[] = [];
  readonly #scans = new Map<number, Scan>();
  readonly #aborts = new Map<number, AbortController>();
  readonly #transactions = new HostTransactions();
  #database: LocalDatabase | undefined;
  #scanCount = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  open(
    location: string,
    options: RemoteOpenOptions,
    events: MessagePort,
  ): Promise<Answer<Pick<LocalDatabase, 'storage'>>> {
    const tell = (message: EventMessage) => events.postMessage(message);
    return answer(() =>
      this.#abortable(OPENING_ABORT_ID, async (signal) => {
        const database = await openLocal(this.#platform, location, {
          ...options,
          signal,
          onProgress: (payload) => tell({ event: 'progress', payload }),
        });
        this.#database = database;
        database.on('commit', (payload) => tell({ event: 'commit', payload }));
        database.on('warning', (payload) => tell({ event: 'warning', payload }));
        database.on('queue', (payload) => tell({ event: 'queue', payload }));
        database.on('role', (payload) => tell({ event: 'role', payload }));
        return { storage: database.storage };
      }),
    );
  }

  abort(abortId: number): void {
    this.#aborts.get(abortId)?.abort();
  }

  database(method: DatabaseMethod, args: unknown[]): Promise<Answer<unknown>> {
    return answer(() => {
      const call = this.#opened()[method] as (...given: unknown[]) => Promise<unknown>;
      return call.apply(this.#opened(), args);
    });
  }

  openCollection(name: string, config: CollectionConfig | undefined): Promise<Answer<number>> {
    return answer(async () => this.#collections.push(await this.#opened().localCollection(name, config)) - 1);
  }

  collection(handle: number, method: CollectionMethod, args: unknown[]): Promise<Answer<unknown>> {
    return answer<unknown>(
      async () => {
        const collection = this.#collection(handle);
        const [which] = args;
        switch (method) {
          case 'info':
            return collection.info();
          case 'count':
            return collection.count(which as Filter | undefined);
          case 'get':
            return collection.get(which as string[]);
        }
      },
      method === 'get' ? storedBuffers : undefined,
    );
  }

  write(
    handle: number,
    method: RecordMethod,
    packed: PackedRecords,
    options: RemoteWriteOptions,
  ): Promise<Answer<{ ids: string[] }>> {
    return answer(() =>
      this.#writing(options, (writeOptions) => {
        const records = unpackRecords(packed) as RecordInput & { id: string };
        return this.#collection(handle)[method](records, writeOptions);
      }),
    );
  }

  delete(handle: number, which: unknown, options: RemoteWriteOptions): Promise<Answer<{ deleted: number }>> {
    return answer(() =>
      this.#writing(options, (writeOptions) =>
        this.#collection(handle).delete(which as string[], writeOptions),
      ),
    );
  }

  beginTransaction(id: number): Promise<Answer<void>> {
    // It can be aborted until it has ended.
    const controller = new AbortController();
    this.#aborts.set(id, controller);
    return answer(() => this.#transactions.begin(id, this.#opened(), controller.signal));
  }

  inTransaction(
    id: number,
    collection: string,
    method: TransactionMethod,
    given: unknown,
  ): Promise<Answer<unknown>> {
    return answer(
      async () => this.#transactions.run(id, collection, method, given),
      method === 'get' ? storedBuffers : undefined,
    );
  }

  endTransaction(id: number, isCommit: boolean): Promise<Answer<void>> {
    this.#aborts.delete(id);
    return answer(() => this.#transactions.end(id, isCommit));
  }

  query(
    handle: number,
    queries: Query[],
    isSingle: boolean,
    abortId: number,
  ): Promise<Answer<Hit[] | Hit[][]>> {
    const run = (signal: AbortSignal): Promise<Hit[] | Hit[][]> => {
      const collection = this.#collection(handle);
      const signalled = queries.map((query) => ({ ...query, signal }));
      return isSingle ? collection.query(signalled[0]!) : collection.queryMany(signalled);
    };
    return answer(
      () => this.#abortable(abortId, run),
      (hits) => vectorBuffers(hits.flat()),
    );
  }

  openScan(handle: number, options: ScanOptions): Promise<Answer<number>> {
    return answer(async () => {
      const scan = this.#collection(handle).scanBatches(options);
      this.#scans.set(++this.#scanCount, scan);
      return this.#scanCount;
    });
  }

  nextScanned(scan: number): Promise<Answer<StoredRecord[]>> {
    return answer(async () => {
      const { value, done } = (await this.#scans.get(scan)?.next()) ?? { done: true };
      if (done) this.#scans.delete(scan);
      return value ?? [];
    }, vectorBuffers);
  }

  closeScan(scan: number): Promise<Answer<void>> {
    return answer(async () => {
      await this.#scans.get(scan)?.return();
      this.#scans.delete(scan);
    });
  }

  #opened(): LocalDatabase {
    assert(this.#database, 'the worker has no open database');
    return this.#database;
  }

  #collection(handle: number): LocalCollection<Metadata> {
    const collection = this.#collections[handle];
    assert(collection, `the worker knows no collection ${handle}`);
    return collection;
  }

  #writing<T>(
    { priority, abortId }: RemoteWriteOptions,
    write: (options: WriteOptions) => Promise<T>,
  ): Promise<T> {
    return this.#abortable(abortId, (signal) => write({ signal, ...(priority && { priority }) }));
  }

  async #abortable<T>(abortId: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#aborts.set(abortId, controller);
    try {
      return await run(controller.signal);
    } finally {
      this.#aborts.delete(abortId);
    }
  }
}

/** @param buffersOf what of the value is transferred, not copied */
async function answer<T>(
  run: () => Promise<T>,
  buffersOf: (value: T) => Transferable[] = () => [],
): Promise<Answer<T>> {
  try {
    const value = await run();
    return Comlink.transfer({ ok: true as const, value }, buffersOf(value));
  } catch (error) {
    return { ok: false, error: errorToImage(error) };
  }
}

function storedBuffers(found: unknown): Transferable[] {
  return vectorBuffers([found].flat() as (StoredRecord | undefined)[]);
}

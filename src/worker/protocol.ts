/**
 * What a page and its worker say to each other. Every answer is an envelope, so that an error arrives with its code,
 * details and cause; comlink's own way for errors keeps none of them.
 */
import type {
  CollectionConfig,
  Database,
  DatabaseEvents,
  Include,
  Metadata,
  OpenOptions,
  Query,
  StoredRecord,
  WriteOptions,
} from '../base/api.ts';
import type { ErrorImage } from '../base/errors.ts';

/** The abort id of opening; what else can be aborted counts up from the next. */
export const OPENING_ABORT_ID = 0;

export type Answer<T> = { ok: true; value: T } | { ok: false; error: ErrorImage };

/** What the worker is told of the options: the rest cannot cross, or is the page's own business. */
export type RemoteOpenOptions = Omit<OpenOptions, 'onProgress' | 'signal' | 'worker'>;

/** What arrives on the port for events, one message an event. */
export type EventMessage = {
  [E in keyof DatabaseEvents]: { event: E; payload: DatabaseEvents[E] };
}[keyof DatabaseEvents];

/** Methods of a database whose arguments and results are plain data. */
export type DatabaseMethod =
  | 'collections'
  | 'dropCollection'
  | 'flush'
  | 'checkpoint'
  | 'compact'
  | 'verify'
  | 'repair'
  | 'stats'
  | 'close';

/** Methods of a collection whose arguments and results are plain data. */
export type CollectionMethod = 'info' | 'count' | 'get';

/** Methods of a collection that take records with vectors. */
export type RecordMethod = 'insert' | 'upsert' | 'update';

/** Methods of a collection within a transaction. */
export type TransactionMethod = RecordMethod | 'delete' | 'get';

/** What crosses of WriteOptions: the signal stays, and is obeyed by `abort` with this id. */
export interface RemoteWriteOptions {
  priority?: WriteOptions['priority'];
  abortId: number;
}

/** All vectors of a batch end to end in one buffer, which is transferred. */
export interface PackedRecords {
  records: PackedRecord[];
  vectors: Float32Array<ArrayBuffer>;
  /** One record was given, not an array: errors name their place accordingly. */
  isSingle: boolean;
}

export interface PackedRecord {
  /** The record without its vector. */
  fields: unknown;
  /** How many of the values are its own; undefined for a record without a vector. */
  dimensions?: number;
}

export interface ScanOptions {
  batchSize?: number;
  include?: Include[];
}

/** One worker serves one database. Handles are numbers that the worker gives out. */
export interface HostProtocol {
  open(
    location: string,
    options: RemoteOpenOptions,
    events: MessagePort,
  ): Promise<Answer<Pick<Database, 'storage'>>>;
  /** Gives up an opening, a query, a write that still waits or a transaction that is under way. */
  abort(abortId: number): void;
  database(method: DatabaseMethod, args: unknown[]): Promise<Answer<unknown>>;
  openCollection(name: string, config: CollectionConfig | undefined): Promise<Answer<number>>;
  collection(handle: number, method: CollectionMethod, args: unknown[]): Promise<Answer<unknown>>;
  write(
    handle: number,
    method: RecordMethod,
    packed: PackedRecords,
    options: RemoteWriteOptions,
  ): Promise<Answer<{ ids: string[] }>>;
  delete(handle: number, which: unknown, options: RemoteWriteOptions): Promise<Answer<{ deleted: number }>>;
  query(handle: number, queries: Query[], isSingle: boolean, abortId: number): Promise<Answer<unknown>>;
  openScan(handle: number, options: ScanOptions): Promise<Answer<number>>;
  /** The next records; none at the end. */
  nextScanned(scan: number): Promise<Answer<StoredRecord<Metadata>[]>>;
  closeScan(scan: number): Promise<Answer<void>>;
  /** Resolves when it is the transaction's turn. @param id one of those for `abort` */
  beginTransaction(id: number): Promise<Answer<void>>;
  /** @param given PackedRecords for a RecordMethod */
  inTransaction(
    id: number,
    collection: string,
    method: TransactionMethod,
    given: unknown,
  ): Promise<Answer<unknown>>;
  endTransaction(id: number, isCommit: boolean): Promise<Answer<void>>;
}

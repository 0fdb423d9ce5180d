/**
 * What a page and its worker say to each other, and tabs among themselves. A call is plain data, so that it can be
 * handed on, and sent again to another tab. Every answer is an envelope, so that an error arrives with its code, details
 * and cause; structured clones of errors keep none of them.
 */
import type {
  CollectionConfig,
  Database,
  DatabaseEvents,
  Metadata,
  Query,
  RestoreOptions,
  RestoreReport,
  StoredRecord,
  WriteOptions,
} from '../base/api.ts';
import type { Awaitable } from '../base/awaitable.ts';
import type { ErrorImage } from '../base/errors.ts';
import type { EngineOptions } from '../store/open-options.ts';
import type { ScanBounds } from '../store/scan.ts';
import type { ScanOptions } from '../store/start-scan.ts';

/** The abort id of opening; calls count up from the next. */
export const OPENING_ABORT_ID = 0;

export type Answer<T> = { ok: true; value: T } | { ok: false; error: ErrorImage };

/** What the worker is told of the options: the rest cannot cross, or is the page's own business. */
export type RemoteOpenOptions = Omit<EngineOptions, 'onProgress' | 'signal' | 'worker'>;

export type RemoteRestoreOptions = Omit<RestoreOptions, 'onProgress' | 'signal' | 'worker'>;

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
  | 'pauseIndexing'
  | 'resumeIndexing'
  | 'compact'
  | 'verify'
  | 'repair'
  | 'stats';

/** Methods of a collection whose arguments and results are plain data. */
export type CollectionMethod = 'info' | 'count' | 'get' | 'setQuantization' | 'setSchema' | 'setFields';

export type QueryMethod = 'query' | 'queryMany' | 'queryPage' | 'recommend';

/** Methods of a collection that take records with vectors. */
export type RecordMethod = 'insert' | 'upsert' | 'update';

/** Methods of a collection within a transaction. */
export type TransactionMethod = RecordMethod | 'delete' | 'get';

/** Which collection is meant, whoever serves: a name may pass to another collection, the number never does. */
export interface CollectionReference {
  name: string;
  id: number;
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

/** The next records of a scan; none at the end. */
export interface ScannedBatch {
  records: StoredRecord<Metadata>[];
  /** Where the scan stands, so that any server can go on with it. */
  bounds: ScanBounds;
}

type Priority = WriteOptions['priority'];

interface OfCollection {
  collection: CollectionReference;
}

export type Call =
  | { type: 'database'; method: DatabaseMethod; args: unknown[] }
  | { type: 'openCollection'; name: string; config: CollectionConfig | undefined; isReadOnly?: boolean }
  | (OfCollection & { type: 'collection'; method: CollectionMethod; args: unknown[] })
  | (OfCollection & { type: 'write'; method: RecordMethod; packed: PackedRecords; priority: Priority })
  | (OfCollection & { type: 'delete'; which: unknown; priority: Priority })
  /** One query, but for queryMany. */
  | (OfCollection & { type: 'query'; method: QueryMethod; queries: Query[]; isAbortable: boolean })
  /** Begins, or goes on after `bounds`. `scan` is an id that no other scan has. */
  | (OfCollection & { type: 'scan'; scan: number; options: ScanOptions; bounds: ScanBounds | undefined })
  | { type: 'endScan'; scan: number }
  /** Resolves when it is the transaction's turn. `transaction` is this call's own id; aborting it rolls back, until the end. */
  | { type: 'begin'; transaction: number }
  /** `given`: PackedRecords for a RecordMethod. */
  | { type: 'within'; transaction: number; collection: string; method: TransactionMethod; given: unknown }
  | { type: 'end'; transaction: number; isCommit: boolean };

/** One host serves one database. */
export interface HostProtocol {
  open(
    location: string,
    options: RemoteOpenOptions,
    events: MessagePort,
  ): Promise<Answer<Pick<Database, 'storage'>>>;
  /** Instead of opening: builds one database from the archive of another. Reports its progress as events. */
  restore(
    source: string,
    destination: string,
    options: RemoteRestoreOptions,
    events: MessagePort,
  ): Promise<Answer<RestoreReport>>;
  /** @param id counts up from 1; calls are begun in that order */
  call(id: number, call: Call): Awaitable<Answer<unknown>>;
  /** Gives up the opening, a query, a write that still waits or a transaction that is under way. */
  abort(id: number): void;
  /** The page may be stopped at any moment: others must not have to wait for it. */
  suspend(): void;
  resume(): void;
  close(): Promise<Answer<void>>;
}

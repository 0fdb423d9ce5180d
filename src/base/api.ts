/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The public contract: every type that a user of isovec meets, and nothing else. The types live in the lowest
 * room because every room above speaks them.
 */
import type { Filter } from './api-filters.ts';
import type { IndexConfig } from './api-index.ts';
import type { ExplainedPage, HitPage, HitSelection, PageQuery, RecommendQuery } from './api-queries.ts';
import type { CompactResult, ExplainedHits, IntegrityReport, RepairReport } from './api-reports.ts';
import type { Fusion, Highlight, TextOptions } from './api-text.ts';
import type { ErrorCode } from './errors.ts';

// ---------------------------------------------------------------- opening

export interface OpenOptions {
  /** 'auto': OPFS, else IndexedDB, in a browser; 'fs' in Node, Deno and Bun. */
  storage?: 'auto' | 'opfs' | 'indexeddb' | 'fs' | 'memory';
  /** 'auto': the engine runs in a dedicated Web Worker on a page, in this thread elsewhere. true: a worker everywhere, also
   *  within a worker of your own. In a browser, engines share a database when all are in such workers: beside one in its
   *  caller's thread every other opening for writing fails with LOCK_TIMEOUT, and `readOnly` shows what there was at first. */
  worker?: 'auto' | boolean;
  /** 'strict' (default): a write's promise resolves once its bytes are flushed to the device.
   *  'relaxed': it resolves once appended; flushed at least every syncInterval ms. Never torn in either mode. */
  durability?: 'strict' | 'relaxed';
  /** Milliseconds between flushes under 'relaxed'. Default 1000. */
  syncInterval?: number;
  /** Open without ever writing; many readers may. Each sees what others write, and keeps nobody waiting. */
  readOnly?: boolean;
  /** false: fail with NOT_FOUND where there is no database yet. Default true. */
  create?: boolean;
  /** Ask the browser not to evict this origin's data when space runs short, on pages: `navigator.storage.persist()`.
   *  Some browsers ask their user; opening does not wait for the answer. Default true. */
  persist?: boolean;
  /** What damage to records does to opening (a torn log tail is always cut off with a warning, and a damaged graph or
   *  other derived file is always rebuilt with a warning). 'strict' (default): open fails with CORRUPTION naming file and
   *  offset. 'salvage': opens with everything intact, as read-only until repair() has run, and warns of the rest. */
  recovery?: 'strict' | 'salvage';
  /** What the checksums of whole files are made with; frames and blocks within them always have a CRC32C. SHA-256 and
   *  BLAKE3 also show what was changed on purpose by somebody who does not recompute them, and take longer to write.
   *  A file that grows keeps the kind that it began with until it is compacted. Default 'crc32c'. */
  checksum?: 'crc32c' | 'sha256' | 'blake3';
  /** Keep what checkpoints cut off the log, so that `restore()` can give back the state after any write since. It goes
   *  on only while every opening for writing asks for it. Default false. */
  archive?: boolean | ArchiveOptions;
  /** Milliseconds between verifications in the background, which tell what they find as warnings; each reads every byte,
   *  beside everything else. Left out: none. At least 1000. */
  verifyInterval?: number;
  /** Milliseconds to wait for the write lock before LOCK_TIMEOUT. Default 10000. */
  lockTimeout?: number;
  /** How many threads help to build graphs, besides the engine's own, where memory can be shared: in Node, Deno and Bun,
   *  and in the worker of a cross-origin isolated page. They are started when thousands of vectors wait for the graph, and
   *  let go when idle. 'auto' (default): one less than the machine has, at most 4. 0 .. 15. */
  buildThreads?: 'auto' | number;
  /** How much may wait to be written before a write is refused with QUOTA_EXCEEDED. Default 100,000 calls, 512 MiB. */
  queueLimit?: { operations?: number; bytes?: number };
  /** Bytes that the database may take in memory, as `stats().memoryBytes` counts them. Caches give way first; a write that
   *  would need more is refused with QUOTA_EXCEEDED, whose details say what would fit, and nothing of it is stored;
   *  opening what does not fit fails in the same way, and so does `setQuantization` where there is no room for both
   *  indexes. A sixteenth is kept from writes, for linking and for opening again. Left out: what there is. At least 4 MiB. */
  memoryLimit?: number;
  /** Keep answers for queries that are asked again, word for word, while nothing is written to their collection: see
   *  docs/queries.md. At most so many, and so many bytes: 1000 and 16 MiB with `true`. Default false. */
  resultCache?: boolean | { entries?: number; bytes?: number };
  /** Called while opening (replaying the log, rebuilding an index) and during long maintenance. */
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

export interface ArchiveOptions {
  /** How the archive is stored. Default 'gzip' where the runtime has CompressionStream. */
  compression?: 'gzip' | 'none';
  /** Milliseconds for which every state is kept restorable; older ones go when whole files of them can. Default: for good. */
  retentionMs?: number;
  /** What the archive is to be kept within, by giving up the oldest states. It takes more when a copy of the newest
   *  state and the log behind it do. Default: no bound. */
  retentionBytes?: number;
}

/** Which state `restore()` is to build. At most one of `sequence` and `time`; neither: the newest. */
export interface RestoreOptions extends Omit<OpenOptions, 'readOnly' | 'recovery' | 'create'> {
  /** The state after the write of this sequence, as in `commit` events. 0: the empty database. */
  sequence?: number;
  /** The state at this time: before the first write that came later. A Date, or milliseconds since 1970. */
  time?: Date | number;
}

export interface RestoreReport {
  /** Of the last write that the new database has. In it, counting begins anew. */
  sequence: number;
  /** When that was written. */
  time: Date;
}

export interface Progress {
  phase: 'open' | 'replay' | 'index' | 'checkpoint' | 'compact' | 'verify' | 'repair' | 'import' | 'export';
  done: number;
  total: number;
}

// ---------------------------------------------------------------- database

export interface Database extends AsyncDisposable {
  readonly location: string;
  readonly storage: 'opfs' | 'indexeddb' | 'fs' | 'memory';

  /** Opens a collection; creates it when `config` is given and it is not there.
   *  Errors: NOT_FOUND without config; CONFIG_MISMATCH when config contradicts the stored one. */
  collection<M extends Metadata = Metadata>(name: string, config?: CollectionConfig): Promise<Collection<M>>;
  collections(): Promise<CollectionInfo[]>;
  dropCollection(name: string): Promise<void>;

  /** All or nothing across collections. What `fn` throws rolls everything back and is rethrown.
   *  Reads inside see the transaction's own writes. Isolation: serializable among writers. */
  transaction<T>(fn: (tx: Transaction) => Promise<T> | T, options?: TransactionOptions): Promise<T>;

  /** Resolves when everything accepted so far is on the device. */
  flush(): Promise<void>;
  /** Writes a checkpoint now, so that the next open replays nothing. */
  checkpoint(): Promise<void>;
  /** Takes no more vectors into the graphs until `resumeIndexing()`, or until this database is opened anew: the thread is
   *  free for other things. What is written meanwhile is found all the same, by exact search. How far the graphs have come
   *  is told by `progress` events and by `indexed` in `info()`. */
  pauseIndexing(): Promise<void>;
  resumeIndexing(): Promise<void>;
  /** Reclaims the space of deleted and overwritten records. */
  compact(): Promise<CompactResult>;
  /** Reads every byte and checks every checksum and cross-reference. Changes nothing. */
  verify(): Promise<IntegrityReport>;
  /** Restores everything that is still readable, rebuilds indexes, and names what was lost. */
  repair(): Promise<RepairReport>;
  stats(): Promise<DatabaseStats>;

  on<E extends keyof DatabaseEvents>(event: E, listener: (payload: DatabaseEvents[E]) => void): () => void;
  /** Waits for the calls under way, flushes, releases locks and handles. Transactions whose function has not ended are
   *  not waited for: they are rolled back, and reject with ABORTED. Idempotent. Later calls fail with CLOSED. */
  close(): Promise<void>;
}

export interface TransactionOptions {
  /** Aborting it before the commit rolls everything back; the promise rejects with ABORTED. */
  signal?: AbortSignal;
}

/**
 * Other writers wait until it ends; readers see nothing of it before its commit. It holds at most 256 MiB of writes.
 * Its calls run in order. One that fails leaves nothing behind, and the transaction may go on without it.
 */
export interface Transaction {
  collection<M extends Metadata = Metadata>(name: string): TransactionCollection<M>;
}

export type TransactionCollection<M extends Metadata = Metadata> = Pick<
  Collection<M>,
  'insert' | 'upsert' | 'update' | 'delete' | 'get'
>;

// ---------------------------------------------------------------- collection

export type Metric = 'cosine' | 'dot' | 'euclidean';
export type Quantization = 'none' | 'int8' | 'binary';
/** 'keyword': text of any kind; 'date': a Date, as which metadata holds it, or text like '2026-11-21T13:00:00Z' or
 *  '2026-11-21'. A field may hold other values, arrays too: answers are the same, only slower where they are many. */
export type FieldKind = 'keyword' | 'number' | 'boolean' | 'date';
/** Dotted path -> kind. */
export type Fields = Record<string, FieldKind>;

export interface CollectionConfig {
  /** 1 to 65536. */
  dimensions: number;
  /** Default 'cosine'. */
  metric?: Metric;
  /**
   * How vectors are held in memory for searching; full float32 is always kept on disk and used to rescore. Default 'none':
   * as float32. 'int8': a quarter of that. 'binary': a bit a dimension, for embeddings of some hundred dimensions.
   * `setQuantization()` changes it later.
   */
  quantization?: Quantization;
  index?: IndexConfig;
  /** JSON Schema (2020-12) that every record's metadata must satisfy, as it is stored; see docs/schemas.md.
   *  `setSchema()` changes it later. */
  schema?: object;
  /** Metadata fields to index for filters: dotted path -> kind. Unindexed fields can be filtered too, by a scan. */
  fields?: Fields;
  /** Keep each record's `text` and index it for BM25. Default false. */
  text?: boolean | { language?: 'en' | 'none' };
  /** Refuse vectors longer than this (L2 norm) with INVALID_VECTOR. Not asked of queries. */
  maxMagnitude?: number;
  /** What makes the vectors: a name of the model and all that changes its vectors. Whoever opens the collection with another
   *  one fails with CONFIG_MISMATCH, so that vectors of two models are never mixed. */
  embedding?: { fingerprint: string };
}

export type Metadata = Record<string, unknown>;
export type VectorInput = Float32Array | Float64Array | readonly number[];

export interface RecordInput<M extends Metadata = Metadata> {
  /** 1 to 512 UTF-8 bytes. Given by the store (UUIDv7) when left out of insert. */
  id?: string;
  vector: VectorInput;
  metadata?: M;
  text?: string;
}

export interface StoredRecord<M extends Metadata = Metadata> {
  id: string;
  vector: Float32Array;
  metadata: M;
  text?: string;
}

export interface WriteOptions {
  /** 'bulk' writes let 'interactive' ones (the default) pass while they wait. */
  priority?: 'interactive' | 'bulk';
  /** Gives the write up while it still waits for its turn: ABORTED, and nothing is stored. Later it does nothing. */
  signal?: AbortSignal;
}

export interface Collection<M extends Metadata = Metadata> {
  readonly name: string;
  info(): Promise<CollectionInfo>;

  /** A batch is one atomic unit: all of it is stored, or none.
   *  Errors: DUPLICATE_ID, DIMENSION_MISMATCH, INVALID_VECTOR (NaN, Infinity, zero under cosine), SCHEMA_VIOLATION
   *  (all violations, each with the record's index and the place in its metadata, in `details.violations`). */
  insert(records: RecordInput<M> | RecordInput<M>[], options?: WriteOptions): Promise<{ ids: string[] }>;
  /** Inserts or replaces whole records. */
  upsert(records: RecordInput<M> | RecordInput<M>[], options?: WriteOptions): Promise<{ ids: string[] }>;
  /** Changes only what is given; metadata is merged shallowly, a field set to undefined or null is removed. NOT_FOUND if an id is absent. */
  update(
    changes: (Partial<RecordInput<M>> & { id: string }) | (Partial<RecordInput<M>> & { id: string })[],
    options?: WriteOptions,
  ): Promise<{ ids: string[] }>;
  /** By ids (absent ones are ignored) or by filter, all in one batch. Returns how many were there. */
  delete(which: string | string[] | { filter: Filter }, options?: WriteOptions): Promise<{ deleted: number }>;

  get(id: string): Promise<StoredRecord<M> | undefined>;
  get(ids: string[]): Promise<(StoredRecord<M> | undefined)[]>;
  count(filter?: Filter): Promise<number>;
  /**
   * Holds the vectors in memory in another way from now on. Everything goes on meanwhile, with both in memory; it resolves
   * once the new way is in use and stored. Nothing happens where they are held so already.
   */
  setQuantization(quantization: Quantization): Promise<void>;
  /**
   * Makes every record's metadata satisfy another JSON Schema from now on, or none. What is stored is held against it
   * first, beside everything else; where some does not satisfy it nothing is changed.
   * Errors: INVALID_ARGUMENT (no schema), SCHEMA_VIOLATION with `details.ids`.
   */
  setSchema(schema: object | undefined): Promise<void>;
  /**
   * Indexes these metadata fields for filters from now on, instead of those before. Everything goes on meanwhile; it
   * resolves once the index is in use and stored. Nothing happens where they are indexed so already.
   */
  setFields(fields: Fields): Promise<void>;
  /** Streams records in insertion order without holding them all; stable under concurrent writes. A filter is asked of
   *  each record as it is by then. */
  scan(options?: {
    filter?: Filter;
    batchSize?: number;
    include?: Include[];
  }): AsyncIterable<StoredRecord<M>>;

  /** With `explain`, the hits have a `plan`. */
  query(query: Query & { explain: true }): Promise<ExplainedHits<M>>;
  query(query: Query): Promise<Hit<M>[]>;
  /** Many queries in one call, answered in order. */
  queryMany(queries: Query[]): Promise<Hit<M>[][]>;
  /** A page of a query's hits. Each page begins behind the last hit of the one before, by score and id: no hit that stays
   *  as it is comes twice or not at all, whatever is written in between. See docs/queries.md for approximate indexes.
   *  Errors: INVALID_ARGUMENT where the cursor is damaged, or of another query or collection. */
  queryPage(query: PageQuery & { explain: true }): Promise<ExplainedPage<M>>;
  queryPage(query: PageQuery): Promise<HitPage<M>>;
  /** What is like some records, and unlike others. Errors: NOT_FOUND where an example is not there. */
  recommend(query: RecommendQuery & { explain: true }): Promise<ExplainedHits<M>>;
  recommend(query: RecommendQuery): Promise<Hit<M>[]>;
}

/** 'highlights': of hits only. */
export type Include = 'vector' | 'metadata' | 'text' | 'highlights';

export interface Query extends HitSelection {
  /** At least one of vector and text. Both: hybrid. */
  vector?: VectorInput;
  /** Words to look for, in a collection with `config.text`. */
  text?: string;
  textOptions?: TextOptions;
  /** Default 10, at most 10000. */
  topK?: number;
  filter?: Filter;
  /** Default ['metadata']. */
  include?: Include[];
  /** Overrides efSearch. */
  ef?: number;
  /** Exhaustive and exact. */
  exact?: boolean;
  /** Only hits with score >= minScore. */
  minScore?: number;
  /** How a hybrid query ranks. Default { method: 'rrf', k: 60 }. */
  fusion?: Fusion;
  /** Tell how it was answered: the hits are an array as always, with `plan` as a property. Default false. */
  explain?: boolean;
  signal?: AbortSignal;
}

export interface Hit<M extends Metadata = Metadata> {
  id: string;
  /** Higher is better. cosine: the cosine, -1 to 1; dot: the dot product; euclidean: 1 / (1 + distance); text: BM25; hybrid: the fused score. */
  score: number;
  /** Lower is better. cosine: 1 - cosine; dot: -dot; euclidean: the L2 distance (not squared). Absent for a text-only hit. */
  distance?: number;
  metadata: M;
  vector?: Float32Array;
  text?: string;
  highlights?: Highlight[];
}

export type * from './api-filters.ts';
export type * from './api-index.ts';
export type * from './api-queries.ts';
export type * from './api-text.ts';

// ---------------------------------------------------------------- reports

export interface CollectionInfo {
  name: string;
  config: Required<Pick<CollectionConfig, 'dimensions' | 'metric' | 'quantization'>> & CollectionConfig;
  count: number;
  /** Records already in the graph; the rest are searched exactly until they are. */
  indexed: number;
  /** Deleted or replaced records whose space compact() would reclaim. */
  garbage: number;
}

export interface DatabaseStats {
  formatVersion: number;
  diskBytes: number;
  memoryBytes: number;
  log: {
    segments: number;
    bytes: number;
    entries: number;
    oldestEntry?: Date;
    lastSequence: number;
    /** Where an archive is kept: its files of log, all its bytes, and how far back `restore()` reaches. */
    archivedSegments?: number;
    archivedBytes?: number;
    oldestRestorable?: { sequence: number; at: Date };
  };
  lastCheckpoint?: { sequence: number; at: Date };
  /** Writes that have been called and are not durable yet. */
  queue: { waiting: number; bytes: number };
  storage: StorageStats;
  /** Queries answered from the result cache since opening, those that had to be found, the share of the former among both
   *  (0 .. 1, and 0 where nothing was asked), and what it holds. All 0 where there is none. */
  cache: { hits: number; misses: number; hitRatio: number; entries: number; bytes: number };
  collections: CollectionInfo[];
}

/** What is left out cannot be known here. */
export interface StorageStats {
  /** How often something was tried again, since opening, after an error that passes. */
  retries: number;
  /** The browser evicts this origin's data only when its user wants it. */
  persisted?: boolean;
  /** What the whole origin takes, as the browser estimates it. */
  usageBytes?: number;
  /** What the whole origin may take, as the browser estimates it. */
  quotaBytes?: number;
  /** What can still be written: of the origin's quota, or of the disk. */
  availableBytes?: number;
}

export type * from './api-reports.ts';

export interface DatabaseEvents {
  /** A write is on the device. */
  commit: { sequence: number; collections: string[] };
  progress: Progress;
  /** Recovery found something worth telling: a torn tail cut off, a corrupt record, a derived file rebuilt.
   *  Also: the storage needs another try (STORAGE_IO), a database that has been here is gone (NOT_FOUND).
   *  Warnings raised while opening are kept and delivered to the first listener. */
  warning: { code: ErrorCode; message: string; details?: Record<string, unknown> };
  /** Writes are called faster than they can be stored ('high'), or that is over ('normal'). */
  queue: { state: 'high' | 'normal'; waiting: number; bytes: number };
  /** This context became, or stopped being, the one that writes. */
  role: { role: 'writer' | 'follower' };
}

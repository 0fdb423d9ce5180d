import type { Metric, Quantization } from '../base/api.ts';
import type { Calibration } from './calibration.ts';

/**
 * The engine interface: an index answers which rows lie nearest to a query, and knows nothing of ids or files.
 *
 * A row number is the caller's (a u32); where the vector lies inside is the index's own business, so rows can be
 * renumbered without touching the graph. A row that has been added is searched at once: exactly, until `link()` has
 * taken it into the graph.
 *
 * Making one may wait for code to be loaded; all that it does, it does at once.
 *
 * A quantised index holds a code of each vector instead of the vector. Its answers are what the codes say, nearly but
 * not quite those of the vectors: who has these can rank the nearest anew.
 *
 * Vectors given to an index are already checked: right length, finite, not zero under cosine.
 */
export interface VectorIndex {
  /** Rows held, linked or not. */
  readonly count: number;
  /** Rows held that are not in the graph yet. Always all of them in a flat index. */
  readonly pendingCount: number;
  /** Steps that `link()` has yet to do: pending rows of a graph index, and removed rows whose neighbours it has yet to
   *  reconnect. 0 once the graph has caught up; always 0 in a flat index. */
  readonly backlogCount: number;
  readonly memoryBytes: number;
  /** Length of a row's code; 0 in an index that holds the vectors themselves. */
  readonly codeBytes: number;
  /** How codes are made of vectors, once one has been added; undefined where nothing has to be known for that. */
  readonly calibration: Calibration | undefined;

  /** Makes room for so many more rows, so that `add()` cannot fail for want of memory.
   *  @throws IsovecError QUOTA_EXCEEDED when memory cannot grow; the index stays as it was */
  reserve(count: number): void;

  /** Holds a row's vector (copied). The row must be absent, or known from a graph image and without its vector yet.
   *  @throws IsovecError QUOTA_EXCEEDED when memory cannot grow; the index stays as it was */
  add(row: number, vector: Float32Array): void;
  /** As `add`, from what `readCode` gave: of an index of the same configuration, calibration too. Quantised only. */
  addCode(row: number, code: Uint8Array): void;
  /** A copy of the code of a row, which must be held and not be waiting for its vector. Quantised only. */
  readCode(row: number): Uint8Array;
  has(row: number): boolean;
  /** Removes a row: never found again, and its number is free at once. Constant time (many thousands may come in one
   *  batch); `link()` mends the graph around it and frees its slot later. @returns whether it was there */
  remove(row: number): boolean;
  /** The same vector belongs to another row from now on. */
  renumber(from: number, to: number): void;
  /** After a compaction: row r is now `newRows[r]`. Rows with 0xffffffff there must not be held. */
  renumberAll(newRows: Uint32Array): void;

  /** Takes up to `count` steps of the backlog: mends the graph around removed rows, then takes pending rows into it.
   *  @returns how many steps it took */
  link(count: number): number;

  /** The nearest rows: by the graph with `max(ef, topK)` candidates, and exactly among pending rows. */
  search(query: Float32Array, topK: number, ef: number): Neighbours;
  /** The nearest rows, exactly; quantised: by their codes. */
  scan(query: Float32Array, topK: number): Neighbours;

  /** The graph (not the vectors, not pending rows) as bytes that `loadGraph` takes back. Mends it first where rows
   *  have been removed, so that the image names held rows only. Left out, with `loadGraph`, where there are no images:
   *  then the graph is built anew from the vectors. */
  saveGraph?(): Uint8Array<ArrayBuffer>;
  /** Takes back a graph into an index that is still empty. Each of its rows then awaits its vector by `add`.
   *  @throws IsovecError CORRUPTION when the image is damaged or of another configuration; the index stays empty */
  loadGraph?(image: Uint8Array): void;
}

/** Nearest first; equal distances by row number. */
export interface Neighbours {
  rows: Uint32Array;
  /** As in `Hit.distance`: cosine: 1 - cosine; dot: -dot; euclidean: the L2 distance. */
  distances: Float32Array;
}

export interface VectorIndexConfig {
  dimensions: number;
  metric: Metric;
  type: 'hnsw' | 'flat';
  m: number;
  efConstruction: number;
  quantization: Quantization;
  /** Of int8. Left out: of the first vector. */
  calibration?: Calibration;
}

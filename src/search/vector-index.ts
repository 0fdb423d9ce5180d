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

  /** What has been reserved will be filled in the next seconds. */
  prepareMemory?(): void;

  /** By how much memory has to grow for so many more rows, linked and all; Infinity where they are too many. */
  bytesFor(count: number): number;
  /** Memory is scarce: from now on it does not grow ahead of what is needed. */
  spareMemory?(): void;

  /** Holds a row's vector (copied). The row must be absent, or known from a graph image and without its vector yet.
   *  @throws IsovecError QUOTA_EXCEEDED when memory cannot grow; the index stays as it was */
  add(row: number, vector: Float32Array): void;
  /** As `add`, from what `readCode` gave: of an index of the same configuration, calibration too. Quantised only. */
  addCode(row: number, code: Uint8Array): void;
  /** As `addCode`, of consecutive rows: of those of the graph image, and of others that are wanted. */
  addCodes(firstRow: number, codes: Uint8Array, isWanted: (row: number) => boolean): void;
  /** As `add`, of consecutive rows: of those of the graph image, and of others that are wanted. Left out where it is no
   *  faster. @param vectors one every so many bytes, little-endian float32, at an offset that is a multiple of four */
  addVectors?(
    firstRow: number,
    vectors: Uint8Array,
    strideBytes: number,
    isWanted: (row: number) => boolean,
  ): void;
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
   *  Where many are pending, it first puts them in order, in slices of about a millisecond, one a call.
   *  @returns how many steps it took: fewer than `count`, or none, while it puts rows in order */
  link(count: number): number;

  /** The nearest rows: by the graph with `max(ef, topK)` candidates, and exactly among pending rows. */
  search(query: Float32Array, topK: number, ef: number): Neighbours;
  /** The nearest rows, exactly; quantised: by their codes. */
  scan(query: Float32Array, topK: number): Neighbours;

  /** Answers of several queries, to the bit as `search` would give them, or, for an `ef` of 0, `scan`: what is compared
   *  exactly is read once for all of them. Left out where nothing is gained by that.
   *  @param queries 2 to QUERIES_TOGETHER_MAX */
  searchSeveral?(queries: readonly Float32Array[], topK: number, ef: number): Neighbours[];

  /** The nearest of some rows, exactly; quantised: by their codes. @param rows each once; those not held do not count */
  searchAmong(query: Float32Array, rows: Iterable<number>, topK: number): Neighbours;

  /**
   * The nearest of some rows, by the graph, and exactly among pending rows. Where these rows lie far from the query, or do
   * not hang together, it may find fewer than there are. Left out, with the next, where there is no such walk.
   * @param allowed 32 rows a word, the first in the lowest bit
   * @throws IsovecError QUOTA_EXCEEDED
   */
  searchAllowed?(query: Float32Array, allowed: Uint32Array, topK: number, walk: FilteredWalk): Neighbours;
  /** As `searchAmong`, of rows as `searchAllowed` has them: faster where they are a third of all. */
  scanAllowed?(query: Float32Array, allowed: Uint32Array, topK: number): Neighbours;

  /** CRC32C of each piece of so many bytes, 128 pieces at most, the last of what is left. Left out where nothing is faster
   *  than JavaScript. @param bytes up to GRAPH_PIECE_BYTES_MAX @returns a view that holds until the next call */
  readonly checksums?: (bytes: Uint8Array, pieceBytes: number) => Uint32Array;

  /** One of two pieces of memory of the index's own, for what is read from files: `checksums`, `addCodes` and an image's
   *  `write` need not copy it first. It holds until memory grows (then its length is 0) or `leaveRooms`.
   *  Left out, or undefined, where there is none. @param number 0 or 1 @param bytes of each, the same every time */
  room?(number: number, bytes: number): Uint8Array<ArrayBuffer> | undefined;
  /** They may be used for anything. */
  leaveRooms?(): void;

  /** The graph (not the vectors, not pending rows), to be read now or in one's own time: as long as `link()` is not
   *  called it stays one graph, whatever is added and removed meanwhile. Left out, with the two below, where there are
   *  no images: then the graph is built anew from the vectors.
   *  @throws IsovecError QUOTA_EXCEEDED */
  readGraph?(): GraphImage;
  /** Begins to take back a graph into an index that is still empty: all zeros, to be filled in.
   *  @param header as `readGraph` gave it
   *  @param storedBytes what there is of the sections: a header that claims much more is damaged
   *  @throws IsovecError CORRUPTION when it is of another configuration, QUOTA_EXCEEDED; the index stays empty */
  openGraph?(header: Uint8Array, storedBytes: number): GraphImage;
  /** Checks what has been filled in. Each row of the graph then awaits its vector by `add`.
   *  @throws IsovecError CORRUPTION when it is damaged, QUOTA_EXCEEDED; the index stays empty */
  acceptGraph?(): void;
}

/** A graph as numbered sections of bytes. What stands in one does not move as long as the index lives. */
export interface GraphImage {
  header: Uint8Array;
  /** Lengths of the sections. */
  sections: number[];
  /** @param count up to GRAPH_PIECE_BYTES_MAX
   *  @returns a view that holds until the next call; zeros behind the section's end */
  read(section: number, offset: number, count: number): Uint8Array;
  /** What lies behind the section's end goes nowhere. @param bytes up to GRAPH_PIECE_BYTES_MAX */
  write(section: number, offset: number, bytes: Uint8Array): void;
}

/** As in wasm/isovec.h. */
export const QUERIES_TOGETHER_MAX = 4;

export const GRAPH_HEADER_BYTES = 64;
export const GRAPH_PIECE_BYTES_MAX = 64 * 1024;

/** Nearest first; equal distances by row number. */
export interface Neighbours {
  rows: Uint32Array;
  /** As in `Hit.distance`: cosine: 1 - cosine; dot: -dot; euclidean: the L2 distance. */
  distances: Float32Array;
}

export interface FilteredWalk {
  /** Candidates of a walk over all rows, of which those that are not wanted are left out. */
  ef: number;
  /** Nothing is found unless so many of them are wanted; where hardly any of the first are, the walk ends early. */
  nearMin: number;
  /** 0, or candidates of a second walk, which goes on from these, and a sample of all wanted rows, over wanted rows alone. */
  efAllowed: number;
}

export interface VectorIndexConfig {
  dimensions: number;
  metric: Metric;
  type: 'hnsw' | 'flat';
  m: number;
  efConstruction: number;
  quantization: Quantization;
  /** Codes of links beside them: wasm/link-codes.h. */
  linkCodes?: boolean;
  /** Of int8. Left out: of the first vector. */
  calibration?: Calibration;
}

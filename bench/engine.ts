/** What each contestant does, and the work that all of them are given. */
import type { DatasetName } from './datasets/dataset.ts';

export const M = 16;
export const EF_CONSTRUCTION = 200;
/** With which isovec's graphs find about as much at the same `ef` as those of others with EF_CONSTRUCTION. */
export const EF_CONSTRUCTION_EQUAL_RECALL = 120;
export const EF_SWEEP: readonly number[] = [10, 20, 40, 80, 160, 320, 640];
export const TOP_K = 10;
/** Of the first answer after reopening. */
export const REOPEN_EF = 64;

/** Vectors are numbered from 0 in the order of the base file; that number is their label. */
export interface Engine<Vector = unknown> {
  /** The form in which this engine takes a vector. Made before the clock starts. */
  encode(vector: Float32Array): Vector;
  /** Makes an empty index for `capacity` vectors. */
  create(dimensions: number, capacity: number): Promise<void>;
  /** Takes vectors labelled `firstLabel`, `firstLabel + 1`, ...; returns once all are in the graph. */
  add(firstLabel: number, vectors: Vector[]): Promise<void> | void;
  /** Labels of the nearest, nearest first. */
  search(query: Vector, ef: number): Promise<number[]> | number[];
  /** Many queries in one call, where the engine has such a call. */
  searchMany?(queries: Vector[], ef: number): Promise<number[][]>;
  /** Writes everything to disk and lets go of it, where the engine keeps files. */
  store?(): Promise<void>;
  /** Takes up again what `store` wrote, ready to answer. */
  reopen?(): Promise<void>;
  /** Brings its files up to date first. */
  footprint(): Promise<Footprint>;
  close(): Promise<void>;
}

/** In bytes, for all vectors; left out where the engine cannot tell. */
export interface Footprint {
  memory?: number;
  disk?: number;
}

export interface SearchPass {
  /** TOP_K labels for each query, one query after another; -1 where fewer were found. */
  labels: number[];
  latenciesMs: number[];
  elapsedMs: number;
}

/** One engine in its own process or page, driven from outside one command at a time. */
export interface Contestant {
  readonly name: string;
  /** Takes the first `count` vectors of a data set, and makes an empty index. */
  start(data: DatasetName, count: number): Promise<void>;
  /** Adds base vectors `from` (included) to `to` (excluded). @returns milliseconds */
  add(from: number, to: number): Promise<number>;
  search(ef: number): Promise<SearchPass>;
  /** @returns milliseconds for all queries, or undefined where there is no such call */
  searchMany(ef: number): Promise<number | undefined>;
  /** @returns milliseconds from closed to the first answer, or undefined where nothing is kept */
  reopen(): Promise<number | undefined>;
  footprint(): Promise<Footprint>;
  stop(): Promise<void>;
}

/**
 * The files of one collection between two compactions, read by row. They are append-only, so reading needs no lock:
 * what a manifest has named never changes. Compaction makes new files; the old ones stay until their last reader is
 * gone.
 */
import type { Awaitable } from '../base/awaitable.ts';
import { assert } from '../base/errors.ts';
import type { StorageBackend, StorageFile } from '../storage/storage.ts';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_KINDS,
  checkBlock,
  corruptBlock,
  decodeBlockHeader,
} from '../tables/block.ts';
import { entryInBlock } from '../tables/record-entry.ts';
import type { RecordExtent } from '../tables/rows-file.ts';
import { decodeVectors, vectorOffset, vectorStrideBytes } from '../tables/vectors-file.ts';
import type { BlockCache } from './block-cache.ts';
import type { VectorCache } from './vector-cache.ts';

/** Names of the files that grow with the collection. */
export interface GrowingFiles {
  rows: string;
  vectors: string;
  records: string;
}

export class CollectionFiles {
  readonly names: GrowingFiles;
  /** Of vectors that queries have read, where the index does not hold them. */
  vectorCache: VectorCache | undefined;
  /** Whether caches may take so many bytes more. */
  mayCache: (bytes: number) => boolean = () => true;
  readonly #storage: StorageBackend;
  readonly #cache: BlockCache;
  readonly #dimensions: number;
  /** By first row, which ascends. */
  #extents: RecordExtent[];
  readonly #open = new Map<string, Promise<StorageFile>>();
  /** Saved from damaged blocks, by row. */
  #rescued: ReadonlyMap<number, Uint8Array> | undefined;
  #readers = 0;
  #onIdle: (() => void) | undefined;

  constructor(
    storage: StorageBackend,
    cache: BlockCache,
    names: GrowingFiles,
    dimensions: number,
    extents: RecordExtent[],
  ) {
    this.#storage = storage;
    this.#cache = cache;
    this.names = names;
    this.#dimensions = dimensions;
    this.#extents = extents;
  }

  get memoryBytes(): number {
    return this.#extents.length * 64 + (this.vectorCache?.memoryBytes ?? 0);
  }

  /** After a checkpoint: these blocks can be read now. */
  addExtents(extents: readonly RecordExtent[]): void {
    this.#extents = this.#extents.concat(extents);
  }

  /** These bodies are not to be looked for in the files: their blocks are damaged. */
  rescue(bodies: ReadonlyMap<number, Uint8Array>): void {
    this.#rescued = bodies;
  }

  /** The files stay until `fn` is done, whatever compaction does. */
  read<T>(fn: () => Promise<T>): Promise<T>;
  read<T>(fn: () => Awaitable<T>): Awaitable<T>;
  read<T>(fn: () => Awaitable<T>): Awaitable<T> {
    const result = fn();
    return result instanceof Promise ? this.#reading(result) : result;
  }

  /** At once where the block is held. */
  body(row: number): Awaitable<Uint8Array> {
    const rescued = this.#rescued?.get(row);
    if (rescued) return rescued;
    const extent = this.#extentOf(row);
    const file = this.names.records;
    const bodyIn = (payload: Uint8Array) =>
      entryInBlock(payload, extent.rowCount, row - extent.firstRow, file).body;
    const block = this.#cache.get(`${file}:${extent.offset}`, extent.bytes, () => this.#readBlock(extent));
    return block instanceof Uint8Array ? bodyIn(block) : block.then(bodyIn);
  }

  /**
   * The bodies of a row and of those that follow it in its block. Nothing is kept: this is for whoever reads every block
   * once, and would leave nothing else in the cache.
   */
  async bodiesFrom(row: number): Promise<Uint8Array[]> {
    if (this.#rescued?.size) return [await this.body(row)];
    const extent = this.#extentOf(row);
    const { firstRow, rowCount } = extent;
    const payload = await this.#readBlock(extent);
    return Array.from(
      { length: firstRow + rowCount - row },
      (_, at) => entryInBlock(payload, rowCount, row - firstRow + at, this.names.records).body,
    );
  }

  /** Of consecutive rows. Each is a view of one buffer. */
  async vectors(firstRow: number, rowCount: number): Promise<Float32Array<ArrayBuffer>[]> {
    const file = await this.#file(this.names.vectors);
    const length = rowCount * vectorStrideBytes(this.#dimensions);
    const bytes = await file.read(vectorOffset(firstRow, this.#dimensions), length);
    return decodeVectors(bytes, this.#dimensions, firstRow, file.name);
  }

  /** Of any rows, reading those that follow each other at once. */
  async vectorsOf(rows: readonly number[]): Promise<Float32Array<ArrayBuffer>[]> {
    const runs: Promise<Float32Array<ArrayBuffer>[]>[] = [];
    for (let start = 0; start < rows.length; ) {
      let end = start + 1;
      while (end < rows.length && rows[end] === rows[end - 1]! + 1) end++;
      runs.push(this.vectors(rows[start]!, end - start));
      start = end;
    }
    return (await Promise.all(runs)).flat();
  }

  /** The file to append to. */
  writable(kind: keyof GrowingFiles): Promise<StorageFile> {
    return this.#file(this.names[kind], true);
  }

  /** Another file of the collection, which stays open, too. */
  other(name: string): Promise<StorageFile> {
    return this.#file(name);
  }

  /** Closes files that nobody reads any more. */
  async letGo(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const file = this.#open.get(name);
      this.#open.delete(name);
      await (await file)?.close();
    }
  }

  /** Opens what will be read: once open it can be, even when others have removed it. */
  async hold(): Promise<void> {
    for (const kind of ['vectors', 'records'] as const) await this.#file(this.names[kind]);
  }

  /** Closes the files once nobody reads them any more. */
  async close(): Promise<void> {
    if (this.#readers > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    for (const file of this.#open.values()) await (await file).close();
    this.#open.clear();
  }

  async #reading<T>(result: Promise<T>): Promise<T> {
    this.#readers++;
    try {
      return await result;
    } finally {
      this.#readers--;
      if (this.#readers === 0) this.#onIdle?.();
    }
  }

  #file(name: string, create = false): Promise<StorageFile> {
    let file = this.#open.get(name);
    if (!file) {
      file = this.#storage.open(name, { create });
      this.#open.set(name, file);
      file.catch(() => this.#open.delete(name));
    }
    return file;
  }

  async #readBlock({ offset, bytes, firstRow }: RecordExtent): Promise<Uint8Array> {
    const file = this.names.records;
    const block = await (await this.#file(file)).read(offset, bytes);
    const header = decodeBlockHeader(block, file);
    if (
      header.kind !== BLOCK_KINDS.records ||
      header.firstRow !== firstRow ||
      header.payloadBytes !== bytes - BLOCK_HEADER_BYTES
    )
      throw corruptBlock(file, offset, `is not that of row ${firstRow}`);
    return checkBlock(header, block, file, offset);
  }

  #extentOf(row: number): RecordExtent {
    let low = 0;
    let high = this.#extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#extents[middle]!.firstRow <= row) low = middle + 1;
      else high = middle;
    }
    const extent = this.#extents[low - 1];
    assert(extent && row < extent.firstRow + extent.rowCount, `row ${row} lies in no record block`);
    return extent;
  }
}

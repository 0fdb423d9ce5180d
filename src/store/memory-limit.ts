/** What the database may take in memory: caches give way, and then writes and openings are refused. */
import { IsovecError } from '../base/errors.ts';
import type { LiveFile } from '../journal/manifest.ts';
import { bytesPerRow } from '../payload/payload-index.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import type { Engine } from './engine.ts';
import type { StoredCollection } from './manifest-state.ts';
import type { PutOperation, RecordOperation } from './operations.ts';

/** Kept free of writes: linking takes a little more than is foreseen, and so does opening again. */
const RESERVED_SHARE = 1 / 16;
/** Besides its id, in the tables of rows: with the hash from ids to rows as it grows. */
const ROW_BYTES = 14;
/** The same where ids are as the rows file has them. */
const HASHED_ROW_BYTES = 8;
/** Of the objects that hold a record until a checkpoint has stored it. */
const RECORD_OBJECT_BYTES = 250;
/** In the kernel beside its code and its links on the ground: rows, pools, states, marks, with room to grow. */
const NODE_BYTES = 36;
const MEGABYTE = 1024 * 1024;

export class MemoryLimit {
  readonly #limitBytes: number;
  readonly #engine: Engine;

  constructor(limitBytes: number, engine: Engine) {
    this.#limitBytes = limitBytes;
    this.#engine = engine;
  }

  /** How much of `bytes` a cache may hold that holds `engine.cache` now. */
  cacheBytes(bytes: number): number {
    return Math.min(bytes, Math.max(0, this.#freeBytes() + this.#engine.cache.memoryBytes));
  }

  mayCache(bytes: number): boolean {
    return bytes <= this.#freeBytes();
  }

  /**
   * Before a batch is staged. Caches are thrown out where that makes room enough.
   * @param awaited vectors that have been promised room in a collection's index
   * @throws IsovecError QUOTA_EXCEEDED
   */
  checkWrite(operations: readonly RecordOperation[], awaited: (collectionId: number) => number): void {
    const puts = new Map<number, PutOperation[]>();
    for (const operation of operations) {
      if (operation.kind !== 'put') continue;
      const of = puts.get(operation.collectionId);
      if (of) of.push(operation);
      else puts.set(operation.collectionId, [operation]);
    }
    let neededBytes = 0;
    for (const [id, of] of puts)
      neededBytes += this.#bytesFor(id, of, awaited(id)) + this.#bytesOfUnindexed(id, awaited(id));
    if (puts.size === 0 || neededBytes <= this.#freeBytes()) return;
    this.#dropCaches();
    if (neededBytes <= this.#freeBytes()) return;
    const [[id, first]] = puts as unknown as [[number, PutOperation[]]];
    const count = operations.length;
    throw this.#refusal(`a batch of ${count}`, this.#engine.collections.get(id), neededBytes, first);
  }

  /**
   * Before a collection is loaded: what is known of it says what it will take.
   * @throws IsovecError QUOTA_EXCEEDED
   */
  checkOpening({ name, config, rowCount, deadCount, files }: StoredCollection, live: LiveFiles): void {
    const liveCount = rowCount - deadCount;
    const idBytes = live[files.rows]?.bytes ?? 0;
    const neededBytes =
      idBytes + rowCount * (HASHED_ROW_BYTES + bytesOfFields(config)) + liveCount * bytesPerVector(config);
    this.checkFits(`the collection "${name}" with its ${liveCount} records`, neededBytes);
  }

  /** While opening. @throws IsovecError QUOTA_EXCEEDED */
  checkFits(what: string, neededBytes = 0): void {
    const inUseBytes = this.#engine.memoryBytes;
    const limitBytes = this.#limitBytes;
    if (inUseBytes + neededBytes <= limitBytes) return;
    throw new IsovecError(
      'QUOTA_EXCEEDED',
      `${what} would take ${inMegabytes(inUseBytes + neededBytes)} of memory, more than memoryLimit, ` +
        `${inMegabytes(limitBytes)}: open with a higher one`,
      { details: { limitBytes, inUseBytes, neededBytes } },
    );
  }

  #bytesFor(collectionId: number, puts: readonly PutOperation[], awaited: number): number {
    const state = this.#engine.collections.get(collectionId);
    if (!state) return 0;
    let bytes = state.index.bytesFor(awaited + puts.length);
    if (state.nextIndex) bytes += state.nextIndex.bytesFor(awaited + puts.length);
    for (const { id, body, vector } of puts)
      bytes += id.length + ROW_BYTES + body.length + vector.byteLength + RECORD_OBJECT_BYTES;
    return bytes + puts.length * bytesOfFields(state.config);
  }

  /** What rows will take that the indexes of fields have not taken in yet. */
  #bytesOfUnindexed(collectionId: number, awaited: number): number {
    const state = this.#engine.collections.get(collectionId);
    if (!state) return 0;
    const rows = state.rows.rowCount + awaited - (state.payload?.rowCount ?? 0);
    return rows * bytesOfFields(state.config);
  }

  /** For writes and caches. */
  #freeBytes(): number {
    return this.#limitBytes * (1 - RESERVED_SHARE) - this.#inUseBytes();
  }

  /** What is on its way to the log will be in memory, as it is now. */
  #inUseBytes(): number {
    return this.#engine.memoryBytes + this.#engine.waiting.bytes;
  }

  #dropCaches(): void {
    this.#engine.cache.shrink(0);
    this.#engine.rankings.clear();
    this.#engine.resultCache?.clear();
    for (const { files } of this.#engine.collections.values()) files.vectorCache = undefined;
  }

  #refusal(
    what: string,
    state: CollectionState | undefined,
    neededBytes: number,
    puts: readonly PutOperation[],
  ): IsovecError {
    const inUseBytes = this.#inUseBytes();
    const freeBytes = Math.max(0, this.#freeBytes());
    const fits = state ? this.#countThatFits(state, puts, freeBytes) : 0;
    const helps = state ? helpFor(state) : [];
    const limitBytes = this.#limitBytes;
    return new IsovecError(
      'QUOTA_EXCEEDED',
      `${what} needs ${inMegabytes(neededBytes)} of memory, where ${inMegabytes(freeBytes)} are left of memoryLimit, ` +
        `${inMegabytes(limitBytes)}: ${fits} more such records of "${state?.name}" would fit` +
        (helps.length > 0 ? `; ${helps.join(', ')} would make room` : ''),
      { details: { limitBytes, inUseBytes, neededBytes, fits, helps, collection: state?.name } },
    );
  }

  /** Records like those. */
  #countThatFits(state: CollectionState, puts: readonly PutOperation[], freeBytes: number): number {
    const of = (count: number) =>
      (this.#bytesFor(state.id, puts, 0) - state.index.bytesFor(puts.length)) * (count / puts.length) +
      state.index.bytesFor(count);
    let low = 0;
    let high = Math.ceil(freeBytes / bytesPerVector(state.config)) + 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (of(middle) <= freeBytes) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

type LiveFiles = Readonly<Record<string, LiveFile>>;

/** In the index, linked and all. */
function bytesPerVector({ dimensions, quantization, index }: ResolvedConfig): number {
  const codeBytes = { none: dimensions * 4, int8: dimensions, binary: Math.ceil(dimensions / 8) + 8 }[
    quantization
  ];
  const linksBytes = index.type === 'flat' ? 0 : index.m * 2 * 4;
  return codeBytes + linksBytes + (index.linkCodes ? bytesOfLinkCodes(dimensions, index.m) : 0) + NODE_BYTES;
}

/** As in wasm/link-codes.h: a header, the links, and sets of 32 codes, in whole lines of cache. */
function bytesOfLinkCodes(dimensions: number, m: number): number {
  const setBytes = 256 * Math.ceil(dimensions / 64) + 64;
  return Math.ceil((32 + 8 * m + Math.ceil(m / 16) * setBytes) / 64) * 64;
}

/** A row in the indexes of fields. */
function bytesOfFields({ fields = {} }: ResolvedConfig): number {
  return Object.values(fields).reduce((bytes, kind) => bytes + bytesPerRow(kind), 0);
}

function helpFor({ config, rows, tail }: CollectionState): string[] {
  const helps: string[] = [];
  if (tail.memoryBytes > MEGABYTE) helps.push('a checkpoint');
  if (rows.deadCount * 4 > rows.rowCount) helps.push('compact()');
  if (config.quantization === 'none') helps.push("quantization 'int8'");
  if (config.quantization !== 'binary' && !config.index.linkCodes) helps.push("quantization 'binary'");
  return helps;
}

function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MiB`;
}

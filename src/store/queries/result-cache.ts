/**
 * Answers kept for queries that are asked again. An answer is of one state of its collection, and is given only while that
 * is the collection's state: the first query after a write finds none.
 */
import type { DatabaseStats, Hit, OpenOptions } from '../../base/api.ts';
import { crc32c } from '../../base/crc32c.ts';
import type { RowTable } from '../../tables/row-table.ts';
import type { CollectionState } from '../collection-state.ts';
import type { CheckedQuery } from '../query-plan.ts';
import { keyOf } from './query-key.ts';

/** Ten hits with some metadata and the vector of the query take 3 KB at 384 dimensions. */
const ENTRIES_DEFAULT = 1000;
const BYTES_DEFAULT = 16 * 1024 * 1024;
/** An answer that takes more than this of it is not kept: it would throw out all others. */
const ENTRY_SHARE_MAX = 1 / 8;
/** Of an object or an array, and of each of their values: roughly what V8 takes. */
const OBJECT_BYTES = 48;
const VALUE_BYTES = 16;

interface Entry {
  /** Of the state that it is of. */
  version: string;
  vector: Float32Array;
  hits: Hit[];
  bytes: number;
}

export class ResultCache {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #mayHold: (bytes: number) => boolean;
  /** In order of use, the latest last. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;

  /** @param mayHold whether there is memory for so much more */
  constructor(bounds: OpenOptions['resultCache'], mayHold: (bytes: number) => boolean) {
    const { entries = ENTRIES_DEFAULT, bytes = BYTES_DEFAULT } = typeof bounds === 'object' ? bounds : {};
    this.#entriesMax = entries;
    this.#bytesMax = bytes;
    this.#mayHold = mayHold;
  }

  get stats(): DatabaseStats['cache'] {
    const [hits, misses] = [this.#hits, this.#misses];
    const hitRatio = hits / Math.max(1, hits + misses);
    return { hits, misses, hitRatio, entries: this.#entries.size, bytes: this.#bytes };
  }

  /** @param answer in one turn from the state as it is then */
  async answer(state: CollectionState, query: CheckedQuery, answer: () => Promise<Hit[]>): Promise<Hit[]> {
    const { vector, topK, include } = query;
    const filter = await query.filter;
    if (filter && filter.key === undefined) {
      // It cannot be told whether the same is asked again.
      this.#misses++;
      return answer();
    }
    const asked = await keyOf(query, filter?.key, state.config);
    const key = `${state.id} ${checksumOf(vector)} ${topK} ${Object.values(include)} ${asked}`;
    const version = versionOf(state);
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      if (known.version === version && areEqual(known.vector, vector)) {
        this.#entries.set(key, known);
        this.#hits++;
        return copyOf(known.hits);
      }
      this.#bytes -= known.bytes;
    }
    this.#misses++;
    const hits = await answer();
    if (versionOf(state) === version) this.#keep(key, { version, vector, hits });
    return hits;
  }

  /** Lets go of what is kept. */
  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #keep(key: string, { version, vector, hits }: Omit<Entry, 'bytes'>): void {
    const bytes = 2 * key.length + vector.byteLength + bytesOf(hits);
    if (bytes > this.#bytesMax * ENTRY_SHARE_MAX || !this.#mayHold(bytes)) return;
    this.#remove(key);
    this.#entries.set(key, { version, vector, hits: copyOf(hits), bytes });
    this.#bytes += bytes;
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.#entriesMax && this.#bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** Of tables of rows, by number: a version must not keep one from being collected. */
const tableNumbers = /* @__PURE__ */ new WeakMap<RowTable, number>();
let tableCount = 0;

/** Says which state it is: rows are only ever added to a table, and die. */
function versionOf({ rows }: CollectionState): string {
  const number = tableNumbers.get(rows) ?? ++tableCount;
  tableNumbers.set(rows, number);
  return `${number} ${rows.rowCount} ${rows.deadCount}`;
}

function checksumOf({ buffer, byteOffset, byteLength }: Float32Array): number {
  return crc32c(new Uint8Array(buffer, byteOffset, byteLength));
}

function areEqual(a: Float32Array, b: Float32Array): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return a.length === b.length;
}

/** Whoever gets it may change it. */
function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Float32Array) return value.slice() as T;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  const copy = { ...value };
  for (const key in copy) if (typeof copy[key] === 'object') copy[key] = copyOf(copy[key]);
  return copy;
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return VALUE_BYTES + 2 * value.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  if (value instanceof Float32Array) return OBJECT_BYTES + value.byteLength;
  let bytes = OBJECT_BYTES;
  for (const each of Object.values(value)) bytes += VALUE_BYTES + bytesOf(each);
  return bytes;
}

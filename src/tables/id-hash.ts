/**
 * From the bytes of an id to a row, by open addressing with linear probing and deletion by backward shift
 * (Knuth, The Art of Computer Programming, vol. 3, 6.4, algorithm R). It stores rows only, four bytes each; the ids
 * stay where they are. The table is many small ones, chosen by the hash, which grow one by one: so growth takes a
 * moment's work and memory at a time, where rehashing a million ids at once took 0.3 seconds.
 */
import type { IdStore } from './id-store.ts';

export const NO_ROW = 0xffff_ffff;

/** Small tables: 16,000 ids each in a million, which grow in 2 ms. */
const TABLES_SHIFT = 6;
const SLOTS_MIN = 8;
/** Probing stays short up to here, by Knuth's formula: 3 slots for an id that is there, 13 for one that is not. At 0.7 both took
 *  two thirds as long, 0.4 and 1.2 us in 300,000, and the table a seventh more. */
const LOAD_MAX = 0.8;
/** By so much a full table grows: 5 to 6 bytes a row. */
const GROWTH = 1.2;
/** Hardly one of the tables gets so much more than its share of many ids. */
const UNEVENNESS = 1.05;

export class IdHash {
  readonly #ids: IdStore;
  /** Differs from process to process, so that nobody can choose ids that collide. */
  readonly #seed = (Math.random() * 2 ** 32) >>> 0;
  readonly #tables: Uint32Array[] = [];
  readonly #counts = new Uint32Array(1 << TABLES_SHIFT);
  #memoryBytes = 0;
  /** Where the last probe has ended. */
  #table = 0;
  #slot = 0;

  /** @param ids those of all rows that are put in */
  constructor(ids: IdStore) {
    this.#ids = ids;
    for (let table = 0; table < 1 << TABLES_SHIFT; table++) this.#tables.push(EMPTY);
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Makes room at once for so many ids, if it is to hold them. */
  reserve(count: number): void {
    const perTable = Math.ceil((count / (1 << TABLES_SHIFT) / LOAD_MAX) * UNEVENNESS);
    for (const [table, slots] of this.#tables.entries())
      if (slots.length < perTable) this.#resize(table, perTable);
  }

  /** @returns the row, or NO_ROW */
  find(id: Uint8Array): number {
    return this.#probe(id, 0, id.length);
  }

  /** Puts a row whose id is not there, or gives an id that is there another row. @returns the row before, or NO_ROW */
  set(row: number): number {
    this.#ids.find(row);
    const { bytes, start, end } = this.#ids;
    const before = this.#probe(bytes, start, end);
    if (before === NO_ROW) {
      const table = this.#table;
      const count = ++this.#counts[table]!;
      const slots = this.#tables[table]!;
      if (count > slots.length * LOAD_MAX) {
        this.#resize(table, Math.max(SLOTS_MIN, Math.ceil(slots.length * GROWTH)));
        this.#probe(bytes, start, end);
      }
    }
    this.#tables[this.#table]![this.#slot] = row;
    return before;
  }

  /** @returns the row that was there, or NO_ROW */
  delete(id: Uint8Array): number {
    const row = this.#probe(id, 0, id.length);
    if (row === NO_ROW) return NO_ROW;
    const slots = this.#tables[this.#table]!;
    const size = slots.length;
    let hole = this.#slot;
    this.#counts[this.#table]!--;
    for (let slot = next(hole, size); slots[slot] !== NO_ROW; slot = next(slot, size)) {
      const home = homeOf(this.#hashOf(slots[slot]!), size);
      // Its home lies cyclically in (hole, slot]: it is still reached, and stays.
      if ((slot - home + size) % size < (slot - hole + size) % size) continue;
      slots[hole] = slots[slot]!;
      hole = slot;
    }
    slots[hole] = NO_ROW;
    return row;
  }

  /** Ends at the slot of this id, or at the empty one where it would go. @returns its row, or NO_ROW */
  #probe(bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hash(bytes, start, end);
    this.#table = hash >>> (32 - TABLES_SHIFT);
    const slots = this.#tables[this.#table]!;
    const size = slots.length;
    if (size === 0) return NO_ROW;
    let slot = homeOf(hash, size);
    let row = slots[slot]!;
    for (; row !== NO_ROW; row = slots[slot]!) {
      if (this.#ids.isIdOf(row, bytes, start, end)) break;
      slot = next(slot, size);
    }
    this.#slot = slot;
    return row;
  }

  #resize(table: number, size: number): void {
    const before = this.#tables[table]!;
    const slots = new Uint32Array(size).fill(NO_ROW);
    for (const row of before) {
      if (row === NO_ROW) continue;
      let slot = homeOf(this.#hashOf(row), size);
      while (slots[slot] !== NO_ROW) slot = next(slot, size);
      slots[slot] = row;
    }
    this.#tables[table] = slots;
    this.#memoryBytes += slots.byteLength - before.byteLength;
  }

  #hashOf(row: number): number {
    const ids = this.#ids;
    ids.find(row);
    return this.#hash(ids.bytes, ids.start, ids.end);
  }

  /** FNV-1a (Fowler, Noll, Vo) over the bytes, then the finalizer of MurmurHash3, since all bits are used. */
  #hash(bytes: Uint8Array, start: number, end: number): number {
    let hash = this.#seed;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

const EMPTY = new Uint32Array();

/** By the bits that do not choose the table, in a table of any size. */
function homeOf(hash: number, size: number): number {
  return Math.floor((((hash << TABLES_SHIFT) >>> 0) / 2 ** 32) * size);
}

function next(slot: number, size: number): number {
  return slot + 1 === size ? 0 : slot + 1;
}

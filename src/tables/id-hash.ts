/**
 * From the bytes of a key to a row, by open addressing with linear probing and deletion by backward shift
 * (Knuth, The Art of Computer Programming, vol. 3, 6.4, algorithm R). It stores rows only, four bytes each; the keys
 * stay where they are.
 */

export const NO_ROW = 0xffff_ffff;

const SLOTS_MIN = 64;
/** Probing stays short up to here: about 2.5 slots a hit by Knuth's formula. */
const LOAD_MAX = 0.75;

export class IdHash {
  readonly #keyOf: (row: number) => Uint8Array;
  /** Differs from process to process, so that nobody can choose ids that collide. */
  readonly #seed = (Math.random() * 2 ** 32) >>> 0;
  #slots = new Uint32Array(SLOTS_MIN).fill(NO_ROW);
  #count = 0;

  /** @param keyOf the key's bytes of a row that is in the table */
  constructor(keyOf: (row: number) => Uint8Array) {
    this.#keyOf = keyOf;
  }

  get memoryBytes(): number {
    return this.#slots.byteLength;
  }

  /** @returns the row, or NO_ROW */
  find(key: Uint8Array): number {
    return this.#slots[this.#probe(key)]!;
  }

  /** Puts a key that is not there, or gives a key that is there another row. @returns the row before, or NO_ROW */
  set(key: Uint8Array, row: number): number {
    if (this.#count + 1 > this.#slots.length * LOAD_MAX) this.#grow();
    const slot = this.#probe(key);
    const before = this.#slots[slot]!;
    if (before === NO_ROW) this.#count++;
    this.#slots[slot] = row;
    return before;
  }

  /** @returns the row that was there, or NO_ROW */
  delete(key: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let hole = this.#probe(key);
    const row = this.#slots[hole]!;
    if (row === NO_ROW) return NO_ROW;
    this.#count--;
    for (let slot = (hole + 1) & mask; this.#slots[slot] !== NO_ROW; slot = (slot + 1) & mask) {
      const home = this.#hash(this.#keyOf(this.#slots[slot]!)) & mask;
      // Its home lies cyclically in (hole, slot]: it is still reached, and stays.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#slots[hole] = this.#slots[slot]!;
      hole = slot;
    }
    this.#slots[hole] = NO_ROW;
    return row;
  }

  /** The slot of this key, or the empty one where it would go. */
  #probe(key: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(key) & mask;
    for (let row = this.#slots[slot]!; row !== NO_ROW; row = this.#slots[slot]!) {
      if (equal(this.#keyOf(row), key)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2).fill(NO_ROW);
    const mask = this.#slots.length - 1;
    for (const row of before) {
      if (row === NO_ROW) continue;
      let slot = this.#hash(this.#keyOf(row)) & mask;
      while (this.#slots[slot] !== NO_ROW) slot = (slot + 1) & mask;
      this.#slots[slot] = row;
    }
  }

  /** FNV-1a (Fowler, Noll, Vo) over the bytes, then the finalizer of MurmurHash3, since low bits are what is used. */
  #hash(key: Uint8Array): number {
    let hash = this.#seed ^ 0x811c9dc5;
    for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key[index]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

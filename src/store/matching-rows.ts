import type { Bitmap } from '../tables/growable.ts';

/** A longer list is made anew each time: comparing so many takes longer by far. */
const KEPT_LIST_MAX = 16_384;

/** Live rows that match a filter, of one committed state. */
export class MatchingRows {
  /** 32 rows each, the first in the lowest bit. */
  readonly words: Uint32Array;
  readonly count: number;
  #list: Uint32Array | undefined;

  /** @param matching dead rows may be among them */
  constructor(matching: Bitmap, dead: Bitmap) {
    const deadWords = dead.words;
    const words = matching.words.slice();
    let count = 0;
    for (let at = 0; at < words.length; at++) {
      if (at < deadWords.length) words[at]! &= ~deadWords[at]!;
      count += bitsOf(words[at]!);
    }
    this.words = words;
    this.count = count;
  }

  get memoryBytes(): number {
    return this.words.byteLength + (this.#list?.byteLength ?? 0);
  }

  /** Ascending; not to be changed. */
  list(): Uint32Array {
    if (this.#list) return this.#list;
    const list = this.#listed();
    if (list.length <= KEPT_LIST_MAX) this.#list = list;
    return list;
  }

  #listed(): Uint32Array {
    const rows = new Uint32Array(this.count);
    let count = 0;
    for (let at = 0; at < this.words.length; at++)
      for (let word = this.words[at]!; word !== 0; word &= word - 1)
        rows[count++] = at * 32 + 31 - Math.clz32(word & -word);
    return rows;
  }
}

/** How many bits of a word are set: summed in pairs, fours, bytes, and all bytes at once. */
function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

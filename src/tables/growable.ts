/** How much a full column grows: half as much again, so that at most a third of it is ever spare. */
const GROWTH = 1.5;
const CAPACITY_MIN = 64;

/** One bit a row, growing. */
export class Bitmap {
  #words = new Uint32Array(CAPACITY_MIN);

  get memoryBytes(): number {
    return this.#words.byteLength;
  }

  /** 32 rows each, the first in the lowest bit: for reading, until the next `add`. */
  get words(): Uint32Array {
    return this.#words;
  }

  has(row: number): boolean {
    return ((this.#words[row >>> 5] ?? 0) & (1 << (row & 31))) !== 0;
  }

  add(row: number): void {
    const word = row >>> 5;
    this.reserve(word + 1)[word]! |= 1 << (row & 31);
  }

  copy(): Bitmap {
    const copy = new Bitmap();
    copy.#words = this.#words.slice();
    return copy;
  }

  /** @returns its words, of which there are so many at least, to be changed until the next call */
  reserve(wordCount: number): Uint32Array {
    if (wordCount > this.#words.length) {
      const grown = new Uint32Array(Math.max(wordCount, Math.ceil(this.#words.length * GROWTH)));
      grown.set(this.#words);
      this.#words = grown;
    }
    return this.#words;
  }
}

/**
 * How many letters one must put in, leave out, change, or swap with the next, to make one word of another: the distance of
 * optimal string alignment (Boytsov, Indexing methods for approximate dictionary searching, 2011, 2.1.1). It is asked for
 * words in order, which mostly begin as the one before did: that part of the table is kept, and what begins with too
 * much is ruled out at once.
 */
export class EditDistance {
  readonly #word: string;
  readonly #max: number;
  /** A row for each letter of the other word: distances of the beginnings of `#word` from what has been read of it. */
  readonly #rows: Uint16Array[];
  #last = '';
  /** Rows that stand, besides the first. */
  #validRows = 0;
  /** Words that begin with so many letters of the last are too far away. */
  #deadFrom = Number.POSITIVE_INFINITY;

  /** @param max distances above are of no interest */
  constructor(word: string, max: number) {
    this.#word = word;
    this.#max = max;
    this.#rows = [Uint16Array.from({ length: word.length + 1 }, (_, index) => index)];
  }

  /** @returns more than `max` where it is more */
  to(other: string): number {
    if (Math.abs(other.length - this.#word.length) > this.#max) return this.#max + 1;
    let shared = 0;
    while (shared < this.#validRows && this.#last.charCodeAt(shared) === other.charCodeAt(shared)) shared++;
    if (shared >= this.#deadFrom) return this.#max + 1;
    this.#last = other;
    this.#deadFrom = Number.POSITIVE_INFINITY;
    for (let length = shared + 1; length <= other.length; length++) {
      this.#validRows = length;
      if (this.#fill(other, length) <= this.#max) continue;
      this.#deadFrom = length;
      return this.#max + 1;
    }
    this.#validRows = other.length;
    return this.#rows[other.length]![this.#word.length]!;
  }

  /** @returns the least distance in the row, or in the one before: a swap looks back so far */
  #fill(other: string, length: number): number {
    const word = this.#word;
    const before = this.#rows[length - 1]!;
    const beforeThat = this.#rows[length - 2];
    const row = this.#rows[length] ?? new Uint16Array(word.length + 1);
    this.#rows[length] = row;
    const letter = other.charCodeAt(length - 1);
    row[0] = length;
    let least = length;
    for (let at = 1; at <= word.length; at++) {
      const own = word.charCodeAt(at - 1);
      let distance = Math.min(before[at]! + 1, row[at - 1]! + 1, before[at - 1]! + (own === letter ? 0 : 1));
      const isSwap =
        beforeThat && at > 1 && own === other.charCodeAt(length - 2) && word.charCodeAt(at - 2) === letter;
      if (isSwap) distance = Math.min(distance, beforeThat[at - 2]! + 1);
      row[at] = distance;
      if (distance < least) least = distance;
    }
    for (const distance of before) if (distance < least) least = distance;
    return least;
  }
}

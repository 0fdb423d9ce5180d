/** So many letters fit into the bits of a number. */
export const BIT_DISTANCE_UNITS_MAX = 32;

const ASCII_COUNT = 128;

/**
 * The same distance as edit-distance.ts, for short words: a column of its table is two bits a letter, and takes some twenty
 * operations, whatever the word's length. (H. Hyyrö, A bit-vector algorithm for computing Levenshtein and Damerau edit
 * distances, Nordic Journal of Computing 10, 2003.)
 */
export class BitDistance {
  readonly #length: number;
  readonly #max: number;
  /** Of the last letter of the word. */
  readonly #lastBit: number;
  /** Where in the word each letter is, a bit a place. */
  readonly #ascii = new Int32Array(ASCII_COUNT);
  readonly #others = new Map<number, number>();

  /** @param word at most BIT_DISTANCE_UNITS_MAX units, and at least one @param max distances above are of no interest */
  constructor(word: string, max: number) {
    this.#length = word.length;
    this.#max = max;
    this.#lastBit = 1 << (word.length - 1);
    for (let at = 0; at < word.length; at++) {
      const unit = word.charCodeAt(at);
      if (unit < ASCII_COUNT) this.#ascii[unit]! |= 1 << at;
      else this.#others.set(unit, (this.#others.get(unit) ?? 0) | (1 << at));
    }
  }

  /** @returns more than `max` where it is more */
  to(other: string): number {
    const max = this.#max;
    if (Math.abs(other.length - this.#length) > max) return max + 1;
    let distance = this.#length;
    // Where the column, and before it the row, goes up (more) and down (less) by one; where the diagonal stays.
    let more = -1;
    let less = 0;
    let stays = 0;
    let placesBefore = 0;
    for (let at = 0; at < other.length; at++) {
      const unit = other.charCodeAt(at);
      const places = unit < ASCII_COUNT ? this.#ascii[unit]! : (this.#others.get(unit) ?? 0);
      const swaps = ((~stays & places) << 1) & placesBefore;
      stays = (((places & more) + more) ^ more) | places | less | swaps;
      const rowMore = less | ~(stays | more);
      const rowLess = stays & more;
      if ((rowMore & this.#lastBit) !== 0) distance++;
      if ((rowLess & this.#lastBit) !== 0) distance--;
      // It falls by one a letter at most.
      if (distance - (other.length - 1 - at) > max) return max + 1;
      const shiftedMore = (rowMore << 1) | 1;
      more = (rowLess << 1) | ~(stays | shiftedMore);
      less = shiftedMore & stays;
      placesBefore = places;
    }
    return distance;
  }
}

/**
 * Which letters a word has, as a bit each (letters share the 32 bits): what is put in, left out or changed makes one bit
 * more at most, and one less, so sets that differ by more belong to words that differ by more. It rules out most of what
 * an edit distance would be computed for.
 */
export const LetterSet = {
  of(word: string): number {
    let letters = 0;
    for (let at = 0; at < word.length; at++) letters |= 1 << (word.charCodeAt(at) & 31);
    return letters;
  },

  /** @returns no more letters than must be put in, left out or changed to make one word of the other */
  editsBetween(a: number, b: number): number {
    return Math.max(countBits(a & ~b), countBits(b & ~a));
  },
};

/** H. S. Warren, Hacker's Delight, 2nd edition, 2012, 5-1. */
function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

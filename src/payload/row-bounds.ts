/** Which rows match for certain, and which possibly, of those from `firstWord * 32` up to `endWord * 32`. */
export interface RowBounds {
  /** 32 rows each, the first in the lowest bit. */
  certain: Uint32Array;
  /** The same array, where nothing is left to ask. */
  possible: Uint32Array;
}

/** Rows in words of 32. */
export interface WordRange {
  firstWord: number;
  endWord: number;
}

const ALL = 0xffff_ffff;

export function noRows({ firstWord, endWord }: WordRange): RowBounds {
  const words = new Uint32Array(endWord - firstWord);
  return { certain: words, possible: words };
}

export function allRows({ firstWord, endWord }: WordRange): RowBounds {
  const words = new Uint32Array(endWord - firstWord).fill(ALL);
  return { certain: words, possible: words };
}

/** What nothing is known of. */
export function anyRows(range: WordRange): RowBounds {
  return { certain: noRows(range).certain, possible: allRows(range).possible };
}

export function complementOf({ certain, possible }: RowBounds): RowBounds {
  const impossible = possible.map((word) => ~word);
  return { certain: impossible, possible: certain === possible ? impossible : certain.map((word) => ~word) };
}

/** Takes over `a`. */
export function intersect(a: RowBounds, b: RowBounds): RowBounds {
  return combine(a, b, (into, words) => {
    for (let at = 0; at < into.length; at++) into[at]! &= words[at]!;
  });
}

/** Takes over `a`. */
export function unite(a: RowBounds, b: RowBounds): RowBounds {
  return combine(a, b, (into, words) => {
    for (let at = 0; at < into.length; at++) into[at]! |= words[at]!;
  });
}

function combine(
  a: RowBounds,
  b: RowBounds,
  fold: (into: Uint32Array, words: Uint32Array) => void,
): RowBounds {
  const isExact = a.certain === a.possible && b.certain === b.possible;
  const possible = a.certain === a.possible && !isExact ? a.possible.slice() : a.possible;
  fold(a.certain, b.certain);
  if (isExact) return a;
  fold(possible, b.possible);
  return { certain: a.certain, possible };
}

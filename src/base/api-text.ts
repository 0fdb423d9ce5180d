/** The public contract of queries by text. */

/** How the words of a query's text are looked for; see docs/text-search.md. */
export interface TextOptions {
  /** Terms that begin with a word count as well, the less the longer they are. Default false. */
  prefix?: boolean;
  /** Terms that differ from a word count as well, the less the more they do: 1 or 2 letters put in, left out, changed or
   *  swapped with the next. true: 1 in words of 3 to 5 letters, 2 in longer ones. Default false. */
  fuzzy?: boolean | 0 | 1 | 2;
  /** 'or' (default): a hit has one of the words at least; 'and': it has all of them. */
  operator?: 'or' | 'and';
}

/**
 * How a query by vector and text ranks what it finds by either. `vectorWeight` is from 0, the text alone, to 1.
 *
 * 'rrf': by reciprocal rank fusion: a hit scores `2 * (vectorWeight / (k + its place by vector) + (1 - vectorWeight) / (k + its
 * place by text))`, places counting from 1; where it has no place, that part is left out. `k` defaults to 60, `vectorWeight`
 * to 0.5.
 *
 * Both rank the best `candidates` by either: 1 to 10000, default 100. Hits beyond all of these follow from ten times as many,
 * and so on up to 10,000 (with `exact`: up to all), with scores halved until none is higher than those before. So the first hits are the
 * same however many are asked for, or read by pages.
 *
 * 'weighted': a hit scores `vectorWeight * v + (1 - vectorWeight) * t`; of all that either has found, the best has the v of
 * 1 and the worst 0, and t is the share of the highest BM25 score.
 */
export type Fusion =
  | { method: 'rrf'; k?: number; vectorWeight?: number; candidates?: number }
  | { method: 'weighted'; vectorWeight: number; candidates?: number };

/** A word of a hit's text that the query's text has found, in UTF-16 units as JavaScript counts them: `text.slice(start, end)`. */
export interface Highlight {
  start: number;
  end: number;
}

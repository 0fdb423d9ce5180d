/** From a word of a query to the terms that it stands for. */
import { EditDistance } from './edit-distance.ts';
import type { TextQuery } from './text-query.ts';

/** A term of which a record may have got the word's share of its score, this times. */
export interface Expansion {
  term: string;
  /** Above 0, up to 1: the word itself. */
  weight: number;
}

export interface Terms {
  has(term: string): boolean;
  /** All that begin so. */
  visitPrefix(prefix: string, visit: (term: string) => void): void;
}

/** Terms of one word, the best: more make a query slow, and the word vague. */
const EXPANSIONS_MAX = 64;

export function isExact({ isPrefix, edits }: TextQuery): boolean {
  return !isPrefix && edits === 0;
}

/** @returns the best, by weight and then in order of UTF-16 units */
export function expand(word: string, query: TextQuery, dictionaries: readonly Terms[]): Expansion[] {
  const weights = new Map<string, number>();
  const offer = (term: string, weight: number) => {
    if (weight > (weights.get(term) ?? 0)) weights.set(term, weight);
  };
  for (const terms of dictionaries) {
    if (terms.has(word)) offer(word, 1);
    if (query.isPrefix) terms.visitPrefix(word, (term) => offer(term, word.length / term.length));
    offerSimilar(word, editsFor(word, query), terms, offer);
  }
  const found = [...weights].map(([term, weight]) => ({ term, weight }));
  found.sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1));
  return found.slice(0, EXPANSIONS_MAX);
}

function offerSimilar(
  word: string,
  edits: number,
  terms: Terms,
  offer: (term: string, weight: number) => void,
): void {
  if (edits === 0) return;
  const distance = new EditDistance(word, edits);
  terms.visitPrefix('', (term) => {
    const found = distance.to(term);
    // As in Lucene's FuzzyQuery: words so short that nothing of them is left are not similar.
    if (found > 0 && found <= edits) offer(term, 1 - found / Math.min(word.length, term.length));
  });
}

/** As Elasticsearch's 'AUTO': short words must be right. */
function editsFor(word: string, { edits }: TextQuery): number {
  if (edits !== 'auto') return edits;
  if (word.length < 3) return 0;
  return word.length < 6 ? 1 : 2;
}

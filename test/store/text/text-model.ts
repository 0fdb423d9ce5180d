/** BM25 as its formula says it, over everything, each time. */
import type { Metadata } from '../../../src/base/api.ts';

const K1 = 1.2;
const B = 0.75;

export interface ModelRecord {
  vector: number[];
  text?: string | undefined;
  metadata: Metadata;
}

/** Texts in tests are words with one space between them, in lower case. */
export function wordsOf(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

/** What each of the query's words stands for: terms, and how much each counts. */
export type Meaning = (word: string, term: string) => number;

export const exactly: Meaning = (word, term) => (word === term ? 1 : 0);

/** Ids with a score above zero. */
export function scoresOf(
  records: ReadonlyMap<string, ModelRecord>,
  query: string,
  { meaning = exactly, isAll = false }: { meaning?: Meaning; isAll?: boolean } = {},
): Map<string, number> {
  const texts = [...records].map(([id, { text }]) => ({ id, words: wordsOf(text) }));
  const withTerms = texts.filter(({ words }) => words.length > 0);
  const average = withTerms.reduce((sum, { words }) => sum + words.length, 0) / withTerms.length;
  const terms = [...new Set(withTerms.flatMap(({ words }) => words))];
  const scoreOf = (words: string[], term: string): number => {
    const holders = withTerms.filter((each) => each.words.includes(term)).length;
    const weight = Math.log(1 + (withTerms.length - holders + 0.5) / (holders + 0.5));
    const frequency = words.filter((word) => word === term).length;
    return (weight * frequency * (K1 + 1)) / (frequency + K1 * (1 - B + (B * words.length) / average));
  };
  const asked = [...new Set(wordsOf(query))];
  const scores = new Map<string, number>();
  for (const { id, words } of withTerms) {
    const parts = asked.map((word) =>
      Math.max(0, ...terms.map((term) => meaning(word, term) * scoreOf(words, term))),
    );
    const isFound = isAll ? parts.every((part) => part > 0) : parts.some((part) => part > 0);
    if (isFound && asked.length > 0)
      scores.set(
        id,
        parts.reduce((sum, part) => sum + part, 0),
      );
  }
  return scores;
}

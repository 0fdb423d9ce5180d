/** What a query's text asks for, before it is known which terms there are. */
import type { Analyzer } from './analyzer.ts';

/** Of a longer text the first count: more say nothing new, and hostile ones are bounded. */
const WORDS_MAX = 1024;

export interface TextQuery {
  /** Each once, in order of first occurrence. */
  words: readonly string[];
  isPrefix: boolean;
  /** Letters that may differ; 'auto': by the length of the word. */
  edits: number | 'auto';
  /** Must a record have all words? */
  isAll: boolean;
}

export function wordsOf(text: string, analyzer: Analyzer): string[] {
  const words = new Set<string>();
  analyzer.forEach(text, (term) => {
    if (words.size < WORDS_MAX) words.add(term);
  });
  return [...words];
}

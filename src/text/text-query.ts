/** What a query's text asks for, before it is known which terms there are. */
import { type Analyzer, WORDS_PER_LOOK } from './analyzer.ts';

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

/** @param rest is called every few words, to let others have a turn */
export async function wordsOf(
  text: string,
  analyzer: Analyzer,
  rest: () => Promise<void> | undefined,
): Promise<string[]> {
  const found = new Set<string>();
  let count = 0;
  for (const words = analyzer.read(text); found.size < WORDS_MAX && words.next(); ) {
    if (words.term !== '') found.add(words.term);
    const rested = ++count % WORDS_PER_LOOK === 0 ? rest() : undefined;
    if (rested) await rested;
  }
  return [...found];
}

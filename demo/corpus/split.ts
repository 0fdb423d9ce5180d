/** Cuts a text into passages: whole sentences, about a hundred words, each repeating the end of the one before. */

/** What the model was trained on is sentences and short paragraphs; longer passages blur into one vector. */
export const PASSAGE_WORDS = 100;
/** The repeated end: a thought that straddles the cut is found in one piece. */
export const OVERLAP_WORDS = 20;
/** A "sentence" longer than this (a table, a list, a text without full stops) is cut between words. */
const SENTENCE_WORDS_MAX = 120;
/** So is a "word" (a data URL, a script that writes no spaces): attention is quadratic in a passage's length. */
const WORD_CHARACTERS_MAX = 60;
const LONG_WORD_PIECE = new RegExp(`.{1,${WORD_CHARACTERS_MAX}}`, 'gsu');

/** A full stop after one of these ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s("“])(?:Mr|Mrs|Ms|Dr|St|Hon|Gen|Gov|Sen|Rep|No|Messrs|vs|etc|[A-Z]|U\.S|[ap]\.m)\.$/;
const SENTENCE_END = /[.!?]["”’)\]]*\s+(?=["“‘([]?[\p{Lu}\d])|\n\s*\n/gu;

/** @returns passages in the text's order; none for a text without words */
export function splitIntoPassages(text: string): string[] {
  const passages: string[] = [];
  let current: string[][] = [];
  let isFresh = false;
  for (const sentence of sentences(text)) {
    if (isFresh && countWords(current) + sentence.length > PASSAGE_WORDS * 1.2) {
      passages.push(join(current));
      current = overlap(current);
      isFresh = false;
    }
    current.push(sentence);
    isFresh = true;
  }
  if (isFresh) passages.push(join(current));
  return passages;
}

/** The words of each sentence, in order. */
export function* sentences(text: string): Generator<string[]> {
  let start = 0;
  for (const end of text.matchAll(SENTENCE_END)) {
    const stop = end.index + end[0].length;
    if (ABBREVIATION.test(text.slice(Math.max(0, end.index - 12), end.index + 1))) continue;
    yield* pieces(text.slice(start, stop));
    start = stop;
  }
  yield* pieces(text.slice(start));
}

function* pieces(sentence: string): Generator<string[]> {
  const words = sentence.split(/\s+/).flatMap((word) => word.match(LONG_WORD_PIECE) ?? []);
  for (let at = 0; at < words.length; at += SENTENCE_WORDS_MAX)
    yield words.slice(at, at + SENTENCE_WORDS_MAX);
}

/** The last whole sentences within OVERLAP_WORDS; none when the last one alone is longer. */
function overlap(passage: string[][]): string[][] {
  let first = passage.length;
  for (let words = 0; first > 0; first--) {
    words += passage[first - 1]!.length;
    if (words > OVERLAP_WORDS) break;
  }
  return passage.slice(first);
}

const countWords = (passage: string[][]): number =>
  passage.reduce((sum, sentence) => sum + sentence.length, 0);

const join = (passage: string[][]): string => passage.flat().join(' ');

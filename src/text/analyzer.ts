/**
 * From text to terms. Words are runs of letters, digits and marks (Unicode's); within scripts that write no spaces,
 * what the runtime's segmenter makes of them. Each is taken in Unicode form NFKC with its case folded; in English, stop
 * words are left out and the rest is stemmed (Porter, An algorithm for suffix stripping, 1980).
 */
import { stemmer } from 'stemmer';
import { ENGLISH_STOP_WORDS } from './stop-words.ts';

export type Language = 'en' | 'none';

/** In UTF-16 units of the text as it is given. */
export interface Occurrence {
  term: string;
  start: number;
  end: number;
}

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const ASCII = /^[\0-\x7f]*$/;
const ENGLISH = /^[a-z]+$/;
/** Of a longer word the beginning counts, in UTF-16 units: few words are longer, and hostile text is bounded. */
const WORD_UNITS_MAX = 64;
/** Segmenting takes time that grows with the square of the length: 2 microseconds a unit up to here, and 560 seconds
 *  for a million units at once (Node 20). */
const SEGMENTED_UNITS_MAX = 256;
/** Words whose terms are remembered: most of a text are a few thousand words, and stemming takes a microsecond. */
const REMEMBERED_MAX = 20_000;

/** Loses no pair of surrogates to a cut. */
function cutAt(text: string, units: number): number {
  const isWithinPair = (text.charCodeAt(units - 1) & 0xfc00) === 0xd800;
  return isWithinPair ? units - 1 : units;
}

export class Analyzer {
  readonly #isEnglish: boolean;
  /** '' for a word that gives no term. */
  readonly #terms = new Map<string, string>();
  #segmenter: Intl.Segmenter | undefined;

  constructor(language: Language) {
    this.#isEnglish = language === 'en';
  }

  /** Calls `visit` with each word that counts, in order. */
  forEach(text: string, visit: (term: string, start: number, end: number) => void): void {
    for (const { 0: run, index } of text.matchAll(WORD))
      if (WITHOUT_SPACES.test(run)) this.#segment(run, index, visit);
      else this.#take(run, index, visit);
  }

  occurrences(text: string): Occurrence[] {
    const found: Occurrence[] = [];
    this.forEach(text, (term, start, end) => found.push({ term, start, end }));
    return found;
  }

  #segment(run: string, start: number, visit: (term: string, start: number, end: number) => void): void {
    this.#segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
    for (let from = 0; from < run.length; ) {
      const rest = run.length - from;
      const end =
        rest <= SEGMENTED_UNITS_MAX ? run.length : from + cutAt(run.slice(from), SEGMENTED_UNITS_MAX);
      for (const { segment, index } of this.#segmenter.segment(run.slice(from, end)))
        this.#take(segment, start + from + index, visit);
      from = end;
    }
  }

  #take(word: string, start: number, visit: (term: string, start: number, end: number) => void): void {
    const term = this.#term(
      word.length <= WORD_UNITS_MAX ? word : word.slice(0, cutAt(word, WORD_UNITS_MAX)),
    );
    if (term !== '') visit(term, start, start + word.length);
  }

  #term(word: string): string {
    const known = this.#terms.get(word);
    if (known !== undefined) return known;
    if (this.#terms.size >= REMEMBERED_MAX) this.#terms.clear();
    const term = this.#make(fold(word));
    this.#terms.set(word, term);
    return term;
  }

  #make(folded: string): string {
    if (!this.#isEnglish) return folded;
    if (ENGLISH_STOP_WORDS.has(folded)) return '';
    return ENGLISH.test(folded) ? stemmer(folded) : folded;
  }
}

/** Words that differ in case or in how they are encoded only become the same. By way of capitals, as which one letter in
 *  two forms (ß and ss, σ and ς) is the same. */
export function fold(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  const lower = word.normalize('NFKC').toUpperCase().toLowerCase();
  return lower.replaceAll('ς', 'σ').normalize('NFKC');
}

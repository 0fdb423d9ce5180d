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

/** A longer run comes in pieces: V8's regular expressions go back over what they have matched by a stack, which runs of
 *  some millions overflow. */
const RUN = /[\p{L}\p{N}\p{M}]{1,65536}/gu;
const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const ASCII = /^[\0-\x7f]*$/;
const ENGLISH = /^[a-z]+$/;
/** Of a longer word the beginning counts, in UTF-16 units: few words are longer, and hostile text is bounded. */
const WORD_UNITS_MAX = 64;
/** Segmenting takes time that grows with the square of the length: 2 microseconds a unit up to here, and 560 seconds
 *  for a million units at once (Node 20). */
const SEGMENTED_UNITS_MAX = 256;
/** Words of a long text between looks at the clock: 0.2 ms. */
export const WORDS_PER_LOOK = 256;
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

  constructor(language: Language) {
    this.#isEnglish = language === 'en';
  }

  /** @returns what reads the words of a text, one after another */
  read(text: string): WordReader {
    return new WordReader(text, (word) => this.#termOf(word));
  }

  occurrences(text: string): Occurrence[] {
    const found: Occurrence[] = [];
    for (const words = this.read(text); words.next(); ) {
      const { term, start, end } = words;
      if (term !== '') found.push({ term, start, end });
    }
    return found;
  }

  #termOf(given: string): string {
    const word = given.length <= WORD_UNITS_MAX ? given : given.slice(0, cutAt(given, WORD_UNITS_MAX));
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

/** Stands at one word after another, so that whoever reads a long text can let others have a turn in between. */
export class WordReader {
  /** '' where the word does not count. */
  term = '';
  start = 0;
  end = 0;
  readonly #text: string;
  readonly #termOf: (word: string) => string;
  readonly #runs = new RegExp(RUN);
  /** The last one that is without spaces; pieces of it up to `#pieceEnd` have been segmented. */
  #run = '';
  #runStart = 0;
  /** Of a word, or of what has been read of it: where it goes on, its beginning has counted. */
  #wordEnd = -1;
  #pieceStart = 0;
  #pieceEnd = 0;
  #segments: Iterator<Intl.SegmentData> | undefined;

  constructor(text: string, termOf: (word: string) => string) {
    this.#text = text;
    this.#termOf = termOf;
  }

  /** @returns false at the end */
  next(): boolean {
    for (;;) {
      const segment = this.#segments?.next();
      if (segment && !segment.done) {
        const { value } = segment;
        return this.#stand(value.segment, this.#runStart + this.#pieceStart + value.index);
      }
      if (this.#pieceEnd < this.#run.length) {
        this.#segmentNext();
        continue;
      }
      this.#segments = undefined;
      const found = this.#runs.exec(this.#text);
      if (!found) return false;
      const { 0: run, index } = found;
      if (!WITHOUT_SPACES.test(run)) {
        const isMore = index === this.#wordEnd;
        this.#wordEnd = index + run.length;
        if (isMore) continue;
        return this.#stand(run, index);
      }
      this.#run = run;
      this.#runStart = index;
      this.#pieceEnd = 0;
    }
  }

  #stand(word: string, start: number): true {
    this.term = this.#termOf(word);
    this.start = start;
    this.end = start + word.length;
    return true;
  }

  #segmentNext(): void {
    const run = this.#run;
    const from = this.#pieceEnd;
    const isLast = run.length - from <= SEGMENTED_UNITS_MAX;
    this.#pieceEnd = isLast
      ? run.length
      : from + cutAt(run.slice(from, from + SEGMENTED_UNITS_MAX), SEGMENTED_UNITS_MAX);
    this.#pieceStart = from;
    segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
    this.#segments = segmenter.segment(run.slice(from, this.#pieceEnd))[Symbol.iterator]();
  }
}

/** Made when it is first wanted. */
let segmenter: Intl.Segmenter | undefined;

/** Words that differ in case or in how they are encoded only become the same. By way of capitals, as which one letter in
 *  two forms (ß and ss, σ and ς) is the same. */
export function fold(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  const lower = word.normalize('NFKC').toUpperCase().toLowerCase();
  return lower.replaceAll('ς', 'σ').normalize('NFKC');
}

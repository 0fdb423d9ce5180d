/** From the words of a query to the terms that they stand for. */
import { BIT_DISTANCE_UNITS_MAX, BitDistance } from './bit-distance.ts';
import { EditDistance } from './edit-distance.ts';
import { LetterSet } from './letter-set.ts';
import type { TextQuery } from './text-query.ts';

/** A term of which a record may have got the word's share of its score, this times. */
export interface Expansion {
  term: string;
  /** Above 0, up to 1: the word itself. */
  weight: number;
}

/** Terms of one word, the best: more make a query slow, and the word vague. */
const EXPANSIONS_MAX = 64;
/** When so many are held of a word, the best are kept. */
const HELD_MAX = 64 * EXPANSIONS_MAX;

export function isExact({ isPrefix, edits }: TextQuery): boolean {
  return !isPrefix && edits === 0;
}

/**
 * Is offered terms, each once or more often and in any order, and knows which of them each word stands for. All words
 * look at a term at once: a dictionary is read once, however many there are.
 */
export class Expander {
  readonly #words: Word[];
  readonly #byWord = new Map<string, Word>();
  /** Of words that stand for what begins with them, by their first letter. */
  readonly #byLetter = new Map<string, Word[]>();
  /** Of words that stand for similar terms, by how long these may be. */
  readonly #byLength = new Map<number, Word[]>();

  constructor(query: TextQuery) {
    this.#words = query.words.map((word) => new Word(word, editsFor(word, query)));
    for (const word of this.#words) {
      const { text, edits } = word;
      this.#byWord.set(text, word);
      if (query.isPrefix) addTo(this.#byLetter, text[0]!, word);
      for (let length = text.length - edits; edits > 0 && length <= text.length + edits; length++)
        addTo(this.#byLength, length, word);
    }
  }

  /** Whether every term has to be offered: otherwise those that begin as a word does. */
  get isOfAllTerms(): boolean {
    return this.#byLength.size > 0;
  }

  offer(term: string): void {
    this.#byWord.get(term)?.take(term, 1);
    for (const word of this.#byLetter.get(term[0]!) ?? [])
      if (term.startsWith(word.text)) word.take(term, word.text.length / term.length);
    const similar = this.#byLength.get(term.length);
    if (!similar) return;
    const letters = LetterSet.of(term);
    for (const word of similar) word.takeIfSimilar(term, letters);
  }

  /** Of each word the best, by weight and then in order of UTF-16 units. */
  expansions(): Expansion[][] {
    return this.#words.map((word) => word.best());
  }
}

class Word {
  readonly text: string;
  readonly edits: number;
  readonly #letters: number;
  readonly #distance: Pick<EditDistance, 'to'>;
  #weights = new Map<string, number>();

  constructor(text: string, edits: number) {
    this.text = text;
    this.edits = edits;
    this.#letters = LetterSet.of(text);
    const isShort = text.length <= BIT_DISTANCE_UNITS_MAX;
    this.#distance = isShort ? new BitDistance(text, edits) : new EditDistance(text, edits);
  }

  take(term: string, weight: number): void {
    if (weight <= (this.#weights.get(term) ?? 0)) return;
    this.#weights.set(term, weight);
    if (this.#weights.size < HELD_MAX) return;
    this.#weights = new Map(this.best().map((each) => [each.term, each.weight]));
  }

  takeIfSimilar(term: string, letters: number): void {
    if (LetterSet.editsBetween(letters, this.#letters) > this.edits) return;
    const found = this.#distance.to(term);
    // As in Lucene's FuzzyQuery: words so short that nothing of them is left are not similar.
    const weight = 1 - found / Math.min(this.text.length, term.length);
    if (found > 0 && found <= this.edits && weight > 0) this.take(term, weight);
  }

  best(): Expansion[] {
    const held = Array.from(this.#weights, ([term, weight]) => ({ term, weight }));
    held.sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1));
    return held.slice(0, EXPANSIONS_MAX);
  }
}

function addTo<K>(lists: Map<K, Word[]>, key: K, word: Word): void {
  const list = lists.get(key);
  if (list) list.push(word);
  else lists.set(key, [word]);
}

/** As Elasticsearch's 'AUTO': short words must be right. */
function editsFor(word: string, { edits }: TextQuery): number {
  if (edits !== 'auto') return edits;
  if (word.length < 3) return 0;
  return word.length < 6 ? 1 : 2;
}

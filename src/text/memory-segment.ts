import { type Analyzer, WORDS_PER_LOOK, type WordReader } from './analyzer.ts';
import { FREQUENCY_MAX, type Postings } from './postings.ts';

interface TermRows {
  rows: number[];
  frequencies: number[];
}

/** The terms of rows that no segment file has yet. */
export class MemorySegment {
  readonly firstRow: number;
  /** The next row to come. */
  endRow: number;
  readonly #terms = new Map<string, TermRows>();
  #postingsCount = 0;

  constructor(firstRow: number) {
    this.firstRow = firstRow;
    this.endRow = firstRow;
  }

  get postingsCount(): number {
    return this.#postingsCount;
  }

  get memoryBytes(): number {
    return this.#terms.size * TERM_BYTES + this.#postingsCount * POSTING_BYTES;
  }

  /** Takes in the next row. @param text undefined where there is none @returns how many terms it has */
  add(text: string | undefined, analyzer: Analyzer): number {
    if (!text) {
      this.endRow++;
      return 0;
    }
    const words = analyzer.read(text);
    let length = 0;
    for (let more = true; more; ) {
      const taken = this.addWords(words);
      length += taken.count;
      more = !taken.isAll;
    }
    return length;
  }

  /** Takes in the next words of the next row, which is there once all are. @returns how many of them count */
  addWords(words: WordReader): { count: number; isAll: boolean } {
    let count = 0;
    for (let at = 0; at < WORDS_PER_LOOK; at++) {
      if (!words.next()) {
        this.endRow++;
        return { count, isAll: true };
      }
      if (words.term === '') continue;
      count++;
      this.#count(words.term, this.endRow);
    }
    return { count, isAll: false };
  }

  get termCount(): number {
    return this.#terms.size;
  }

  /** In the order in which they have come. */
  terms(): IterableIterator<string> {
    return this.#terms.keys();
  }

  readPostings(term: string, into: Postings): void {
    const found = this.#terms.get(term);
    if (!found) return;
    const { rows, frequencies } = found;
    for (let at = 0; at < rows.length; at++) into.push(rows[at]!, frequencies[at]!);
  }

  #count(term: string, row: number): void {
    let found = this.#terms.get(term);
    if (!found) {
      found = { rows: [], frequencies: [] };
      this.#terms.set(term, found);
    }
    const { rows, frequencies } = found;
    const last = rows.length - 1;
    if (rows[last] === row) {
      if (frequencies[last]! < FREQUENCY_MAX) frequencies[last]!++;
      return;
    }
    rows.push(row);
    frequencies.push(1);
    this.#postingsCount++;
  }
}

/** What a term takes besides its postings, and a posting, in V8. */
const TERM_BYTES = 200;
const POSTING_BYTES = 20;

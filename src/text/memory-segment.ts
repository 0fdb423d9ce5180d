import type { Analyzer } from './analyzer.ts';
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
    const row = this.endRow;
    let length = 0;
    if (text)
      analyzer.forEach(text, (term) => {
        length++;
        this.#count(term, row);
      });
    this.endRow++;
    return length;
  }

  has(term: string): boolean {
    return this.#terms.has(term);
  }

  terms(): IterableIterator<string> {
    return this.#terms.keys();
  }

  /** All that begin so. */
  visitPrefix(prefix: string, visit: (term: string) => void): void {
    for (const term of this.#terms.keys()) if (term.startsWith(prefix)) visit(term);
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

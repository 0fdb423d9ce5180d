import type { MemorySegment } from './memory-segment.ts';
import { Postings } from './postings.ts';
import type { Segment, SegmentTerm } from './segment.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { sortInTurns } from './sort-in-turns.ts';

export interface Merging {
  /** By rows, ascending. */
  sources: readonly (Segment | MemorySegment)[];
  /** What is said of rows from here on is left out. */
  endRow: number;
  /** Gives rows other numbers, -1 to those that are left out. */
  rowOf?: (row: number) => number;
  /** Is called between terms, to let others have a turn. */
  rest: () => Promise<void> | undefined;
}

/** Writes the terms of several segments as those of one. @throws IsovecError CORRUPTION */
export async function mergeSegments(
  { sources, endRow, rowOf, rest }: Merging,
  writer: SegmentWriter,
): Promise<void> {
  const cursors: Cursor[] = [];
  for (const source of sources)
    cursors.push(
      'readBlock' in source
        ? new SegmentCursor(source)
        : new MemoryCursor(source, await sortInTurns(source.terms(), rest)),
    );
  for (const cursor of cursors) await cursor.advance();
  const postings = new Postings();
  for (;;) {
    const term = firstOf(cursors);
    if (term === undefined) return;
    postings.clear();
    for (const cursor of cursors) {
      if (cursor.term !== term) continue;
      cursor.read(postings);
      const advanced = cursor.advance();
      if (advanced) await advanced;
    }
    postings.truncate(endRow);
    if (rowOf) postings.renumber(rowOf);
    const written = postings.count > 0 ? writer.add(term, postings) : undefined;
    if (written) await written;
    const rested = rest();
    if (rested) await rested;
  }
}

function firstOf(cursors: readonly Cursor[]): string | undefined {
  let first: string | undefined;
  for (const { term } of cursors)
    if (term !== undefined && (first === undefined || term < first)) first = term;
  return first;
}

/** Stands at one term after the other; at the end it has none. */
interface Cursor {
  readonly term: string | undefined;
  advance(): Promise<void> | undefined;
  read(into: Postings): void;
}

class SegmentCursor implements Cursor {
  term: string | undefined;
  readonly #segment: Segment;
  #block = -1;
  #terms: { term: string; at: SegmentTerm }[] = [];
  #payload: Uint8Array = new Uint8Array();
  #index = 0;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  advance(): Promise<void> | undefined {
    if (++this.#index < this.#terms.length) {
      this.term = this.#terms[this.#index]!.term;
      return undefined;
    }
    return this.#nextBlock();
  }

  read(into: Postings): void {
    this.#segment.readPostings(this.#terms[this.#index]!.at, this.#payload, into);
  }

  async #nextBlock(): Promise<void> {
    this.#index = 0;
    if (++this.#block >= this.#segment.blockCount) {
      this.term = undefined;
      return;
    }
    this.#payload = await this.#segment.readBlock(this.#block);
    this.#terms = this.#segment.termsOf(this.#block);
    this.term = this.#terms[0]!.term;
  }
}

class MemoryCursor implements Cursor {
  term: string | undefined;
  readonly #segment: MemorySegment;
  readonly #terms: string[];
  #index = -1;

  /** @param terms of the segment, in order */
  constructor(segment: MemorySegment, terms: string[]) {
    this.#segment = segment;
    this.#terms = terms;
  }

  advance(): undefined {
    this.term = this.#terms[++this.#index];
  }

  read(into: Postings): void {
    this.#segment.readPostings(this.#terms[this.#index]!, into);
  }
}

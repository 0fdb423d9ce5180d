import { IsovecError } from '../base/errors.ts';
import { type Block, findBlocks } from './blocks.ts';
import {
  type Boundary,
  boundariesWithin,
  boundaryBefore,
  firstWordStart,
  isItemAt,
  lastWordBoundary,
  RANK,
  type Rank,
} from './boundaries.ts';
import { clusterStart, codePointStart, isClusterStart, isSpaceAt } from './characters.ts';
import { aString } from './check.ts';
import { type ResolvedSplitOptions, resolveSplitOptions, type SplitOptions } from './split-options.ts';
import { TextMeasure } from './text-measure.ts';

export interface TextChunk {
  text: string;
  /** UTF-16 offsets into the source: `text` is `source.slice(start, end)`. */
  start: number;
  end: number;
  /** Titles of the sections that it begins in, the outermost first. */
  headings: readonly string[];
}

/** Which places are good enough, in turn: of these ranks, with so much of a chunk's room used before them. */
const CHOICES = [
  { ranks: [RANK.section], fillMin: 0.25 },
  { ranks: [RANK.block], fillMin: 0.5 },
  { ranks: [RANK.item], fillMin: 0.5 },
  { ranks: [RANK.sentence], fillMin: 0.5 },
  // A chunk of a fifth, rather than a torn sentence.
  { ranks: [RANK.section, RANK.block, RANK.item, RANK.sentence], fillMin: 0.2 },
  { ranks: [RANK.line], fillMin: 0.5 },
] as const;

/** A block of code is measured only if it is not longer than so many times what fits before it: others hardly fit. */
const CODE_LENGTH_RATIO_MAX = 8;
/** What still does not fit is shortened by this, at least. */
const SHORTENING = 0.95;

/**
 * Splits a text into chunks, each about as large as it may be, at the best places: before headings, between paragraphs
 * and blocks of code, list items, sentences (as Intl.Segmenter finds them), lines, words. Headings stay with what follows
 * them, and fenced code that fits in a chunk is not torn; grapheme clusters neither, unless one alone does not fit. All of
 * the text is in the chunks, but for white space between them.
 * @throws IsovecError INVALID_ARGUMENT for options out of range, and where one character alone has more tokens than `size`
 */
export function splitText(text: string, options: SplitOptions = {}): TextChunk[] {
  aString(text, 'text');
  return new TextSplitter(text, resolveSplitOptions(options)).split();
}

class TextSplitter {
  readonly #text: string;
  readonly #blocks: Block[];
  readonly #measure: TextMeasure;
  readonly #options: ResolvedSplitOptions;
  /** The block in which the chunk begins. */
  #first = 0;

  constructor(text: string, options: ResolvedSplitOptions) {
    this.#text = text;
    this.#blocks = findBlocks(text, options.format);
    this.#measure = new TextMeasure(text, options);
    this.#options = options;
  }

  split(): TextChunk[] {
    const chunks: TextChunk[] = [];
    // What is before `done` is in chunks. The next one may begin before it.
    let done = this.#skipSpace(0);
    let start = done;
    while (done < this.#text.length) {
      while (this.#blocks[this.#first]!.end <= start) this.#first++;
      let cut = this.#cut(start, done);
      if (cut === undefined && start < done) {
        // With the overlap there is no room for anything new.
        start = done;
        continue;
      }
      cut ??= this.#refuse(start);
      const end = this.#trimEnd(start, cut);
      chunks.push({ text: this.#text.slice(start, end), start, end, headings: this.#headings(start, end) });
      done = this.#skipSpace(cut);
      start = this.#overlapStart(start, end, done);
    }
    return chunks;
  }

  /** Where the chunk that begins at `start` is to end, behind `done`, if something fits in it. */
  #cut(start: number, done: number): number | undefined {
    let limit = this.#measure.farthest(start);
    for (;;) {
      const cut = this.#place(start, done, limit);
      if (cut === undefined || this.#measure.fits(start, this.#trimEnd(start, cut))) return cut;
      // A longer text can have fewer tokens.
      limit = Math.min(cut - 1, start + Math.floor((cut - start) * SHORTENING));
    }
  }

  /** The best place behind `done`, up to `limit`. */
  #place(start: number, done: number, limit: number): number | undefined {
    const block = this.#blockAt(limit);
    if (!block || this.#endsNearby(start, limit, block)) return block ? block.end : this.#text.length;
    if (this.#isWholeCode(block, start, limit)) {
      if (block.start <= done) return start < done ? undefined : this.#tear(start, done, limit);
      return this.#best(done, block.start) ?? block.start;
    }
    return this.#best(done, limit) ?? this.#tear(start, done, limit);
  }

  /** Whether all of this block fits, too: the limit is not exact. */
  #endsNearby(start: number, limit: number, block: Block): boolean {
    if (limit === block.start || block.contentEnd - limit > (limit - start) / 2) return false;
    return this.#measure.fits(start, block.contentEnd);
  }

  #isWholeCode({ kind, start, contentEnd }: Block, chunkStart: number, limit: number): boolean {
    if (kind !== 'code' || start < chunkStart || start === limit) return false;
    const isShort = contentEnd - start <= (limit - chunkStart) * CODE_LENGTH_RATIO_MAX;
    return isShort && this.#measure.fits(start, contentEnd);
  }

  #best(done: number, limit: number): number | undefined {
    const boundaries = this.#boundaries(done, limit);
    for (const { ranks, fillMin } of CHOICES) {
      const lowest = done + (limit - done) * fillMin;
      let last = -1;
      for (const { at, rank } of boundaries)
        if (at >= lowest && at > last && (ranks as readonly Rank[]).includes(rank)) last = at;
      if (last >= 0) return last;
    }
    return undefined;
  }

  /** Behind `low`, up to `high`; none in code that is whole, or is not `torn`. */
  #boundaries(low: number, high: number, torn?: Block): Boundary[] {
    const found: Boundary[] = [];
    for (let index = this.#first; index < this.#blocks.length; index++) {
      const block = this.#blocks[index]!;
      if (block.start > high) break;
      if (block.start > low) found.push(boundaryBefore(block, this.#blocks[index - 1]));
      const isWhole =
        block.kind === 'code' && (torn ? block !== torn : block.start >= low && block.end <= high);
      if (!isWhole) for (const each of boundariesWithin(this.#text, block, low, high)) found.push(each);
    }
    return found;
  }

  /** Between words, else between grapheme clusters, else between code points, unless there is an overlap to give up. */
  #tear(start: number, done: number, limit: number): number | undefined {
    const places = [
      () => lastWordBoundary(this.#text, done, limit),
      () => clusterStart(this.#text, limit),
      () => (start < done ? undefined : codePointStart(this.#text, limit)),
    ];
    for (const place of places) {
      const at = place();
      if (at !== undefined && at > done) return at;
    }
    return undefined;
  }

  #refuse(at: number): never {
    const { size } = this.#options;
    throw new IsovecError(
      'INVALID_ARGUMENT',
      `size must be more than ${size} tokens: the character at ${at} alone has more`,
      { details: { path: 'size', offset: at } },
    );
  }

  /** Where the chunk behind this one begins: within its end, or at `next`. */
  #overlapStart(start: number, end: number, next: number): number {
    const { overlap } = this.#options;
    const following = this.#blockAt(next);
    if (overlap === 0 || !following || (following.kind === 'heading' && following.start >= end)) return next;
    const earliest = Math.max(start + 1, this.#measure.earliest(overlap, end));
    const lowest = Math.max(earliest, this.#sectionStart(earliest, end));
    let first = end;
    for (const { at, rank } of this.#boundaries(lowest - 1, end - 1, following))
      if (rank !== RANK.line && at < first) first = at;
    if (first < end) return Math.min(this.#skipSpace(first), next);
    if (this.#blockAt(lowest)?.kind === 'code' || isItemAt(this.#text, next)) return next;
    const word = firstWordStart(this.#text, lowest, end);
    if (word !== undefined) return word;
    return lowest < end && isClusterStart(this.#text, lowest) ? lowest : next;
  }

  /** Of the section that `end` is in, if it begins behind `low`. */
  #sectionStart(low: number, end: number): number {
    let start = low;
    for (let index = this.#first; index < this.#blocks.length; index++) {
      const block = this.#blocks[index]!;
      if (block.start >= end) break;
      if (block.kind === 'heading' && this.#blocks[index - 1]?.kind !== 'heading') start = block.start;
    }
    return Math.max(low, start);
  }

  #headings(start: number, end: number): readonly string[] {
    let headings: readonly string[] = [];
    for (let index = this.#first; index < this.#blocks.length; index++) {
      const block = this.#blocks[index]!;
      if (block.start >= end) break;
      if (block.end <= start) continue;
      headings = block.headings;
      if (block.kind !== 'heading') break;
    }
    return headings;
  }

  #blockAt(offset: number): Block | undefined {
    for (let index = this.#first; index < this.#blocks.length; index++)
      if (this.#blocks[index]!.end > offset) return this.#blocks[index];
    return undefined;
  }

  #skipSpace(from: number): number {
    let at = from;
    while (at < this.#text.length && isSpaceAt(this.#text, at)) at++;
    // A space may be part of a character, with marks on it.
    return Math.max(from, clusterStart(this.#text, at));
  }

  #trimEnd(start: number, end: number): number {
    let at = end;
    while (at > start && isSpaceAt(this.#text, at - 1)) at--;
    return isClusterStart(this.#text, at) ? at : end;
  }
}

/** Where a text may be cut, from the best place to the worst. */
import type { Block } from './blocks.ts';
import { clusterStart, isClusterStart, isSpaceAt } from './characters.ts';

export interface Boundary {
  at: number;
  rank: Rank;
}

export type Rank = (typeof RANK)[keyof typeof RANK];

/** The lower the better. */
export const RANK = {
  /** Before a heading that no heading precedes. */
  section: 0,
  block: 1,
  /** Before a list item or a row of a table; behind a blank line of code. */
  item: 2,
  /** Between sentences, or lines of code. */
  sentence: 3,
  /** Between other lines; between a heading and what follows it. */
  line: 4,
} as const;

/** A full stop behind one of these ends no sentence. */
const ABBREVIATION = /(?:^|[\s("“])(?:Mr|Mrs|Ms|Dr|Prof|St|Hon|Gen|Gov|Sen|Rep|No|vs|cf|e\.g|i\.e|[A-Z])\.$/;
const ABBREVIATION_CHARACTERS_MAX = 8;
const ITEM = /^[ \t]*(?:[-*+]|\d{1,9}[.)]|\|)/;
const ITEM_HEAD_CHARACTERS = 40;
/** How far back a space is looked for, and then a word: longer than words are. */
const WORD_REACH = 200;
/** A word is seen whole only when it is known what comes behind it. */
const LOOK_AHEAD = 64;

let sentences: Intl.Segmenter | undefined;
let words: Intl.Segmenter | undefined;

/** Before this block. */
export function boundaryBefore(block: Block, before: Block | undefined): Boundary {
  if (before?.kind === 'heading') return { at: block.start, rank: RANK.line };
  return { at: block.start, rank: block.kind === 'heading' ? RANK.section : RANK.block };
}

/** Within a block, behind `from` and up to `to`, in no particular order. */
export function boundariesWithin(text: string, block: Block, from: number, to: number): Boundary[] {
  const start = Math.max(block.start, from);
  const end = Math.min(block.end - 1, to);
  if (block.kind === 'heading' || start >= end) return [];
  const lines = lineBoundaries(text, block.kind === 'code', start, end);
  return block.kind === 'code' ? lines : [...lines, ...sentenceBoundaries(text, start, end, block.end)];
}

function lineBoundaries(text: string, isCode: boolean, start: number, end: number): Boundary[] {
  const found: Boundary[] = [];
  let before = start;
  for (let feed = text.indexOf('\n', start); feed >= 0 && feed < end; feed = text.indexOf('\n', before)) {
    const at = feed + 1;
    found.push({ at, rank: isCode ? codeRank(text, before, feed) : proseRank(text, at) });
    before = at;
  }
  return found;
}

/** Of the place behind a line of code. */
function codeRank(text: string, lineStart: number, lineEnd: number): Rank {
  const isBlank = lineEnd - lineStart < WORD_REACH && text.slice(lineStart, lineEnd).trim() === '';
  return isBlank ? RANK.item : RANK.sentence;
}

function proseRank(text: string, at: number): Rank {
  return isItemAt(text, at) ? RANK.item : RANK.line;
}

/** Whether a list item or a row of a table begins there. */
export function isItemAt(text: string, at: number): boolean {
  return ITEM.test(text.slice(at, at + ITEM_HEAD_CHARACTERS));
}

function sentenceBoundaries(text: string, start: number, end: number, blockEnd: number): Boundary[] {
  sentences ??= new Intl.Segmenter(undefined, { granularity: 'sentence' });
  // Lines are filled, not ended by a sentence's end.
  const window = text
    .slice(start, Math.min(blockEnd, end + LOOK_AHEAD))
    .replace(/[\r\n\u0085\u2028\u2029]/g, ' ');
  const found: Boundary[] = [];
  for (const { index } of sentences.segment(window)) {
    if (index === 0 || start + index > end) continue;
    const ending = window.slice(Math.max(0, index - ABBREVIATION_CHARACTERS_MAX), index).trimEnd();
    if (!ABBREVIATION.test(ending)) found.push({ at: start + index, rank: RANK.sentence });
  }
  return found;
}

/** The last offset from `low + 1` to `high` between two words, as far as one is near. */
export function lastWordBoundary(text: string, low: number, high: number): number | undefined {
  const lowest = Math.max(low, high - WORD_REACH);
  for (let at = high; at > lowest; at--)
    if ((isSpaceAt(text, at - 1) || isSpaceAt(text, at)) && isClusterStart(text, at)) return at;
  return wordStarts(text, lowest, high).findLast((at) => isClusterStart(text, at));
}

/** The first offset from `low` to `high - 1` where a word begins, as far as one is near. */
export function firstWordStart(text: string, low: number, high: number): number | undefined {
  const highest = Math.min(high, low + WORD_REACH);
  for (let at = low; at < highest; at++)
    if (isSpaceAt(text, at - 1) && !isSpaceAt(text, at) && isClusterStart(text, at)) return at;
  return wordStarts(text, low, highest).find((at) => isClusterStart(text, at));
}

/** For scripts that write no spaces. Behind `low`, up to `high`. */
function wordStarts(text: string, low: number, high: number): number[] {
  words ??= new Intl.Segmenter(undefined, { granularity: 'word' });
  const base = clusterStart(text, low);
  return [...words.segment(text.slice(base, high + LOOK_AHEAD))]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index }) => base + index)
    .filter((at) => at > low && at <= high);
}

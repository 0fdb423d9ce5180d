import type { Metadata } from '../base/api.ts';
import { invalid } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import {
  aFunction,
  aNumber,
  anArray,
  anObject,
  aString,
  aWholeNumber,
  type Check,
  type Checks,
  checkedCount,
  checkFields,
  oneOf,
  optional,
} from './check.ts';
import type { PassageHit } from './document-types.ts';
import { estimateTokens } from './estimate-tokens.ts';
import { splitText } from './split-text.ts';

export interface ContextOptions<M extends Metadata = Metadata> {
  /** What the context has at most. */
  tokens: number;
  /** What counts them. Default `estimateTokens`. */
  countTokens?: (text: string) => number;
  /** 'score' (default): the passage with the best hit first. 'document': documents by their best hit, and each document's
   *  passages as they stand in it. */
  order?: 'score' | 'document';
  /** The line above a passage. Default: "[1] document › heading › heading". */
  label?: (passage: ContextPassage<M>, number: number) => string;
}

/** Hits that touch or overlap, as one text. */
export interface ContextPassage<M extends Metadata = Metadata> {
  document: string;
  text: string;
  /** UTF-16 offsets into the document's text. */
  start: number;
  end: number;
  headings: readonly string[];
  /** Of its best hit. */
  score: number;
  metadata: M;
  hits: PassageHit<M>[];
}

export interface Context<M extends Metadata = Metadata> {
  text: string;
  /** As counted; never more than asked for. */
  tokens: number;
  /** In the order of the text: the first is the one labelled 1. */
  passages: ContextPassage<M>[];
}

const BETWEEN_PASSAGES = '\n\n';
/** So many hits in a row that do not fit: others hardly will, and each is a count of all tokens. */
const MISSES_MAX = 8;

const OPTIONS: Checks<ContextOptions> = {
  tokens: aWholeNumber(0),
  countTokens: optional(aFunction),
  order: optional(oneOf(['score', 'document'])),
  label: optional(aFunction),
};

/** What is used of a hit. */
const HIT: Partial<Record<keyof PassageHit, Check>> = {
  document: aString,
  position: aWholeNumber(0),
  text: aString,
  start: aWholeNumber(0),
  end: aWholeNumber(0),
  headings: anArray,
  score: aNumber,
};

/**
 * Renders the best hits as a text for a language model, of so many tokens at most: neighbouring chunks joined, what they
 * repeat of each other left out, each passage below a line that says where it is from. The best hits come in first; those
 * that do not fit are passed over. If none fits, the beginning of the best is there.
 * @param hits of one index, as `search` gives them
 * @throws IsovecError INVALID_ARGUMENT
 */
export function renderContext<M extends Metadata = Metadata>(
  hits: readonly PassageHit<M>[],
  options: ContextOptions<M>,
): Context<M> {
  checkFields(options, 'options', OPTIONS);
  anArray(hits, 'hits');
  for (const [index, hit] of hits.entries()) checkHit(hit, `hits[${index}]`);
  const best = hits.toSorted((a, b) => b.score - a.score);
  let chosen: PassageHit<M>[] = [];
  let context = render<M>([], options);
  let misses = 0;
  for (const hit of best) {
    const larger = render([...chosen, hit], options);
    if (larger.tokens <= options.tokens) {
      chosen = [...chosen, hit];
      context = larger;
      misses = 0;
    } else if (++misses === MISSES_MAX) break;
  }
  return best[0] && chosen.length === 0 ? beginningOf(best[0], options) : context;
}

function checkHit(hit: PassageHit, path: string): void {
  anObject(hit, path);
  for (const [key, check] of Object.entries(HIT)) check(hit[key as keyof PassageHit], `${path}.${key}`);
}

function render<M extends Metadata>(hits: readonly PassageHit<M>[], options: ContextOptions<M>): Context<M> {
  const { countTokens = estimateTokens, order = 'score', label = defaultLabel } = options;
  const labelOf = (passage: ContextPassage<M>, number: number): string => {
    const line: unknown = label(passage, number);
    if (typeof line === 'string') return line;
    throw invalid('label', 'a function that gives a string', line);
  };
  const passages = inOrder(joinNeighbours(hits), order);
  const text = passages
    .map((passage, index) => `${labelOf(passage, index + 1)}\n${passage.text}`)
    .join(BETWEEN_PASSAGES);
  return { text, tokens: text === '' ? 0 : checkedCount(countTokens)(text), passages };
}

function defaultLabel({ document, headings }: ContextPassage, number: number): string {
  return `[${number}] ${[document, ...headings].join(' › ')}`;
}

function joinNeighbours<M extends Metadata>(hits: readonly PassageHit<M>[]): ContextPassage<M>[] {
  const passages: ContextPassage<M>[] = [];
  const inText = hits.toSorted((a, b) => compare(a.document, b.document) || a.position - b.position);
  for (const hit of inText) {
    const before = passages.at(-1);
    const last = before?.hits.at(-1);
    if (before && last?.document === hit.document && last.position === hit.position) continue;
    if (before && last?.document === hit.document && last.position + 1 === hit.position) join(before, hit);
    else passages.push(alone(hit));
  }
  return passages;
}

function alone<M extends Metadata>(hit: PassageHit<M>): ContextPassage<M> {
  const { document, text, start, end, headings, score, metadata } = hit;
  return { document, text, start, end, headings, score, metadata, hits: [hit] };
}

/** The white space between two chunks is not stored: a line feed, or a paragraph's end where there was more of it. */
function join<M extends Metadata>(passage: ContextPassage<M>, hit: PassageHit<M>): void {
  const gap = hit.start - passage.end;
  const between = gap > 1 ? '\n\n' : gap === 1 ? '\n' : '';
  passage.text += between + hit.text.slice(Math.max(0, -gap));
  passage.end = hit.end;
  passage.score = Math.max(passage.score, hit.score);
  passage.hits.push(hit);
}

function inOrder<M extends Metadata>(
  passages: ContextPassage<M>[],
  order: 'score' | 'document',
): ContextPassage<M>[] {
  const byScore = passages.toSorted((a, b) => b.score - a.score);
  if (order === 'score') return byScore;
  const documents = [...new Set(byScore.map(({ document }) => document))];
  return documents.flatMap((document) => passages.filter((passage) => passage.document === document));
}

/** As much of one hit as there is room for. */
function beginningOf<M extends Metadata>(hit: PassageHit<M>, options: ContextOptions<M>): Context<M> {
  const { countTokens = estimateTokens } = options;
  const nothing = render<M>([], options);
  const labelled = render([{ ...hit, text: '', end: hit.start }], options).tokens;
  for (let size = options.tokens - labelled; size > 1; size--) {
    const part = beginning(hit.text, size, countTokens);
    if (part === undefined) return nothing;
    const context = render([{ ...hit, text: part, end: hit.start + part.length }], options);
    if (context.tokens <= options.tokens) return context;
  }
  return nothing;
}

function beginning(text: string, size: number, countTokens: (text: string) => number): string | undefined {
  try {
    return splitText(text, { size, overlap: 0, unit: 'tokens', countTokens })[0]?.text;
  } catch (error) {
    // Not even a character.
    if (error instanceof IsovecError && error.details?.path === 'size') return undefined;
    throw error;
  }
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

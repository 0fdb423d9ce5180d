/** Draws the passages found. */
import type { Hit } from 'isovec';
import type { PassageMetadata } from '../library.ts';
import { create } from './dom.ts';

/** Shorter words of a question ("the", "and") would be marked everywhere. */
const MARKED_WORD_CHARACTERS_MIN = 4;

export function drawHits(hits: Hit<PassageMetadata>[], question: string): HTMLLIElement[] {
  const words = wordPattern(question);
  return hits.map((hit) => drawHit(hit, words));
}

/** The passages with their sources, to be pasted before a question to a language model. */
export function asContext(hits: Hit<PassageMetadata>[], question: string): string {
  const passages = hits.map(({ metadata }, index) => `[${index + 1}] ${source(metadata)}\n${metadata.text}`);
  return `Answer the question from these passages alone, and cite them by number.\n\n${passages.join('\n\n')}\n\nQuestion: ${question}\n`;
}

function source({ title, year, party }: PassageMetadata): string {
  return year === undefined ? title : `${title} (${party}), State of the Union address, ${year}`;
}

function drawHit({ id, score, metadata }: Hit<PassageMetadata>, words: RegExp | undefined): HTMLLIElement {
  const { title, year, party, text } = metadata;
  const bar = create('span', { className: 'score-bar' });
  bar.style.setProperty('--score', String(Math.max(0, score)));
  const item = create(
    'li',
    { className: 'hit' },
    create('p', { className: 'hit-year' }, year === undefined ? 'Your file' : String(year)),
    create(
      'div',
      { className: 'hit-head' },
      create('h3', {}, title),
      ...(party === undefined ? [] : [create('p', { className: 'party' }, party)]),
      create('p', { className: 'score', title: 'Cosine similarity' }, bar, `score ${score.toFixed(3)}`),
    ),
    create('blockquote', {}, ...markWords(text, words)),
  );
  item.dataset.id = id;
  if (party !== undefined) item.dataset.party = party;
  return item;
}

function wordPattern(question: string): RegExp | undefined {
  const words = question.match(/[\p{L}\d]+/gu)?.filter((word) => word.length >= MARKED_WORD_CHARACTERS_MIN);
  return words?.length ? new RegExp(`\\b(?:${words.join('|')})\\p{L}*`, 'giu') : undefined;
}

function* markWords(text: string, words: RegExp | undefined): Generator<Node | string> {
  let start = 0;
  for (const match of words ? text.matchAll(words) : []) {
    yield text.slice(start, match.index);
    yield create('mark', {}, match[0]);
    start = match.index + match[0].length;
  }
  yield text.slice(start);
}

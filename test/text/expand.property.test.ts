import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Expander, type Expansion } from '../../src/text/expand.ts';
import type { TextQuery } from '../../src/text/text-query.ts';

/** Optimal string alignment, by the definition. */
function distance(a: string, b: string): number {
  const table: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    table.push([]);
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        table[i]!.push(i + j);
        continue;
      }
      const changed = table[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(table[i - 1]![j]! + 1, table[i]![j - 1]! + 1, changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, table[i - 2]![j - 2]! + 1);
      table[i]!.push(least);
    }
  }
  return table[a.length]![b.length]!;
}

function weightOf(word: string, term: string, { isPrefix, edits }: TextQuery): number {
  if (word === term) return 1;
  const most = edits === 'auto' ? (word.length < 3 ? 0 : word.length < 6 ? 1 : 2) : edits;
  const apart = distance(word, term);
  const similar = apart <= most ? 1 - apart / Math.min(word.length, term.length) : 0;
  return Math.max(0, similar, isPrefix && term.startsWith(word) ? word.length / term.length : 0);
}

function plain(word: string, terms: string[], query: TextQuery): Expansion[] {
  return [...new Set(terms)]
    .map((term) => ({ term, weight: weightOf(word, term, query) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
    .slice(0, 64);
}

const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', 'A', 'é', '𐐨', '\u3042'),
  minLength: 1,
  maxLength: 7,
});

it('takes words for the terms that they may stand for, the best, whatever order these come in', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(text, { minLength: 1, maxLength: 6 }),
      fc.array(text, { maxLength: 400, size: 'max' }),
      fc.boolean(),
      fc.constantFrom<TextQuery['edits']>(0, 1, 2, 'auto'),
      fc.boolean(),
      (words, terms, isPrefix, edits, isInOrder) => {
        const query = { words, isPrefix, edits, isAll: false };
        const expander = new Expander(query);
        for (const term of isInOrder ? [...terms].sort() : terms) expander.offer(term);
        expect(expander.expansions()).toEqual(words.map((word) => plain(word, terms, query)));
      },
    ),
    { numRuns: 300, seed: 20_261_121 },
  );
});

it('keeps the best of more terms than it holds', () => {
  const query = { words: ['a'], isPrefix: true, edits: 0, isAll: false };
  const expander = new Expander(query);
  const terms = Array.from({ length: 20_000 }, (_, at) => `a${'x'.repeat(at % 40)}${at}`);
  for (const term of terms) expander.offer(term);
  expect(expander.expansions()).toEqual([plain('a', terms, query)]);
});

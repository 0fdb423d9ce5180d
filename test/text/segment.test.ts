import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/base/bytes.ts';
import { DATA_HEADER_BYTES } from '../../src/tables/data-header.ts';
import { Analyzer } from '../../src/text/analyzer.ts';
import { bestRows } from '../../src/text/best-rows.ts';
import { BitDistance } from '../../src/text/bit-distance.ts';
import { EditDistance } from '../../src/text/edit-distance.ts';
import { MemorySegment } from '../../src/text/memory-segment.ts';
import { type Merging, mergeSegments } from '../../src/text/merge-segments.ts';
import { Postings } from '../../src/text/postings.ts';
import { Segment } from '../../src/text/segment.ts';
import { SegmentWriter } from '../../src/text/segment-writer.ts';

const analyzer = new Analyzer('none');

async function write(
  firstRow: number,
  lengths: number[],
  merging: Omit<Merging, 'endRow' | 'rest'>,
): Promise<Segment> {
  const rows = { firstRow, rowCount: lengths.length };
  const file = new ByteWriter().raw(new Uint8Array(DATA_HEADER_BYTES));
  const writer = new SegmentWriter(rows, async (bytes) => void file.raw(bytes));
  const endRow = Number.POSITIVE_INFINITY;
  await mergeSegments({ ...merging, endRow, rest: () => undefined }, writer);
  await writer.finish(Uint32Array.from(lengths));
  const bytes = file.bytes().slice();
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return Segment.open({ name: 'segment', bytes: bytes.length, read }, rows);
}

/** Of the blocks that have all that begin so. */
function termsOf(segment: Segment, prefix: string): string[] {
  const terms: string[] = [];
  const [first, end] = segment.blocksOf(prefix);
  for (let block = first; block < end; block++) segment.visitTerms(block, (term) => terms.push(term));
  return terms;
}

/** Of each term, its rows and how often it is in them. */
async function contentOf(segment: Segment): Promise<Map<string, [number, number][]>> {
  const content = new Map<string, [number, number][]>();
  const terms = termsOf(segment, '');
  expect(terms).toEqual([...terms].sort());
  for (const term of terms) {
    const at = segment.find(term)!;
    const postings = new Postings();
    segment.readPostings(at, await segment.readBlock(at.block), postings);
    content.set(
      term,
      Array.from({ length: postings.count }, (_, index) => [
        postings.rows[index]!,
        postings.frequencies[index]!,
      ]),
    );
  }
  return content;
}

const word = fc.oneof(
  fc.constantFrom('a', 'aa', 'ab', '東京', '𐐨', 'é', '\uff66x'),
  fc.integer({ min: 0, max: 400 }).map((number) => `w${number}`),
);
const texts = fc.array(fc.array(word, { maxLength: 40 }), { minLength: 1, maxLength: 40 });

describe('a segment', () => {
  it('gives back the terms of its rows, merged from others and renumbered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(texts, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.boolean(),
        async (parts, first, isReversed) => {
          const sources: (Segment | MemorySegment)[] = [];
          const expected = new Map<string, [number, number][]>();
          const lengths: number[] = [];
          const firstRow = isReversed ? 0 : first;
          const total = parts.flat().length;
          const numberOf = (row: number) => (isReversed ? total - 1 - row : row);
          for (const [index, part] of parts.entries()) {
            const start = firstRow + lengths.length;
            const memory = new MemorySegment(start);
            const own = part.map((words) => memory.add(words.join(' '), analyzer));
            for (const length of own) lengths.push(length);
            for (const [at, words] of part.entries())
              for (const { term } of analyzer.occurrences(words.join(' '))) {
                const row = numberOf(start + at);
                const found = expected.get(term) ?? [];
                expected.set(term, found);
                const last = found.find(([each]) => each === row);
                if (last) last[1]++;
                else found.push([row, 1]);
              }
            sources.push(index % 2 === 0 ? await write(start, own, { sources: [memory] }) : memory);
          }
          const merged = await write(firstRow, lengths, {
            sources,
            ...(isReversed && { rowOf: numberOf }),
          });
          for (const rows of expected.values()) rows.sort(([a], [b]) => a - b);
          expect(await contentOf(merged)).toEqual(expected);
          expect([...(await merged.readLengths())]).toEqual(lengths);
          const beginning = termsOf(merged, 'w1').filter((term) => term.startsWith('w1'));
          expect(beginning).toEqual([...expected.keys()].filter((term) => term.startsWith('w1')).sort());
          expect(merged.find('w')).toBeUndefined();
        },
      ),
      { numRuns: 60, seed: 20_261_121 },
    );
  });
});

describe('the best rows', () => {
  it('are those of a sort', () => {
    const scores = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 200 });
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 60 }), (given, topK) => {
        const rows = Uint32Array.from(given.keys());
        const sorted = [...rows].sort((a, b) => given[b]! - given[a]! || a - b).slice(0, topK);
        const best = bestRows(rows, Float64Array.from(given), topK);
        expect([...best.rows]).toEqual(sorted);
        expect([...best.scores]).toEqual(sorted.map((row) => given[row]));
      }),
      { seed: 20_261_121 },
    );
  });
});

describe('the distance of words', () => {
  it('is that of the whole table, in whatever order they come', () => {
    const letter = fc.constantFrom('a', 'b', 'c', 'é');
    const short = fc.string({ unit: letter, maxLength: 8 });
    const letters = fc.oneof(short, fc.string({ unit: letter, minLength: 29, maxLength: 32 }));
    fc.assert(
      fc.property(letters, fc.array(letters), fc.constantFrom(1, 2), (own, others, max) => {
        const byTable = new EditDistance(own, max);
        const byBits = own === '' ? byTable : new BitDistance(own, max);
        for (const other of others.sort()) {
          const expected = Math.min(max + 1, table(own, other));
          for (const distance of [byTable, byBits])
            expect(Math.min(max + 1, distance.to(other))).toBe(expected);
        }
      }),
      { seed: 20_261_121 },
    );
  });
});

function table(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_unused, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const change = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i]![j] = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i]![j] = Math.min(rows[i]![j]!, rows[i - 2]![j - 2]! + 1);
    }
  return rows[a.length]![b.length]!;
}

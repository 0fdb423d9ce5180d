import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldKind, Fields, Metadata } from '../../src/base/api.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { PayloadIndex } from '../../src/payload/payload-index.ts';
import {
  documentOfLists,
  filterOf,
  key,
  plainDocument,
  text,
  value,
  valueOrNull,
} from '../filter/arbitraries.ts';

const NO_ROW = 0xffff_ffff;

const path = fc.oneof(
  key,
  fc.tuple(key, key).map((keys) => keys.join('.')),
  fc.tuple(key, fc.nat(2)).map(([each, index]) => `${each}.${index}`),
);
const kind = fc.constantFrom<FieldKind>('keyword', 'number', 'boolean', 'date');
const fields: fc.Arbitrary<Fields> = fc.dictionary(path, kind, {
  minKeys: 1,
  maxKeys: 4,
  noNullPrototype: true,
});
const dateText = fc.constantFrom(
  '2026-01-01T00:00:00.000Z',
  '2026-01-01T00:00:00.001Z',
  '2025-12-31T23:59:59.999Z',
  '2025-12-31T23:59:59Z',
  '2026-01-01T00:00:00Z',
  '2026-01-01',
  '2026-01-02',
  '2026-01',
  '2026-01-01T00:00',
  '2026-02-30',
  '2026-01-01T01:00:00+01:00',
);
const dates: fc.Arbitrary<Metadata> = fc.dictionary(key, fc.oneof(dateText, valueOrNull), {
  noNullPrototype: true,
});
const documents = fc.array(fc.oneof(plainDocument, documentOfLists, dates), { maxLength: 80 });
const operand = fc.oneof(valueOrNull, dateText);
const filter = fc.oneof(
  filterOf(path, operand, true),
  filterOf(path, dateText, true),
  fc.dictionary(
    path,
    fc.oneof(
      fc.record({ $contains: value }),
      fc.record({ $startsWith: fc.oneof(text, dateText) }),
      fc.record({ $gte: dateText, $lt: dateText }),
      fc.record({ $in: fc.array(fc.oneof(value, fc.integer()), { minLength: 9, maxLength: 20 }) }),
    ),
    { minKeys: 1, maxKeys: 2, noNullPrototype: true },
  ),
);

function indexOf(of: Fields, records: readonly Metadata[]): PayloadIndex {
  const index = new PayloadIndex(of);
  for (const each of records) index.push(each);
  return index;
}

function has(words: Uint32Array, row: number): boolean {
  return (words[row >>> 5]! & (1 << (row & 31))) !== 0;
}

/** Holds what an index says against what the records say. @returns of how many it says nothing */
function compare(index: PayloadIndex, given: object, records: readonly Metadata[], firstWord = 0): number {
  const { condition, matches } = compileFilter(given, 'filter');
  const bounds = index.find(condition, { firstWord, endWord: Math.ceil(records.length / 32) });
  if (!bounds) return records.length;
  let open = 0;
  for (let row = firstWord * 32; row < records.length; row++) {
    const isCertain = has(bounds.certain, row - firstWord * 32);
    const isPossible = has(bounds.possible, row - firstWord * 32);
    const said = isCertain === isPossible ? isCertain : 'perhaps';
    if (said === 'perhaps') open++;
    else
      expect({ given, record: records[row], said }).toEqual({
        given,
        record: records[row],
        said: matches(records[row]!),
      });
  }
  return open;
}

describe('a payload index', () => {
  it('says of records what they say themselves, whatever they hold, from any row on', () => {
    const property = fc.property(fields, documents, filter, fc.nat(1), (of, records, given, firstWord) => {
      compare(indexOf(of, records), given, records, Math.min(firstWord, records.length >>> 5));
    });
    fc.assert(property, { numRuns: 3000, seed: 1 });
  });

  it('leaves nothing open where all fields are indexed, but parts of dates', () => {
    const property = fc.property(documents, filter, kind, (records, given, any) => {
      const of = Object.fromEntries(
        JSON.stringify(given)
          .match(/"[abc](\.[abc012])?"(?=:)/g)
          ?.map((each) => [each.slice(1, -1), any]) ?? [],
      );
      if (any === 'date' && JSON.stringify(given).includes('$contains')) return;
      expect(compare(indexOf(of, records), given, records)).toBe(0);
    });
    fc.assert(property, { numRuns: 1000, seed: 2 });
  });

  it('is the same when stored in blocks and read again, and with rows in other places', () => {
    const property = fc.property(fields, documents, filter, fc.nat(80), (of, records, given, at) => {
      const index = indexOf(of, records);
      const middle = Math.min(at, records.length);
      const read = new PayloadIndex(of);
      for (const [first, end] of [
        [0, middle],
        [middle, records.length],
      ] as const)
        if (end > first) read.decode(index.encode(first, end), end - first, 'file');
      expect(read.rowCount).toBe(records.length);
      compare(read, given, records);
      const kept = records.filter((_, row) => row % 3 !== 1);
      let left = kept.length;
      read.renumber(Uint32Array.from(records, (_, row) => (row % 3 === 1 ? NO_ROW : --left)));
      compare(read, given, kept.reverse());
    });
    fc.assert(property, { numRuns: 1000, seed: 3 });
  });

  it('tells what it has no room for by hashes, and leaves to the records what those do not tell', () => {
    const records = Array.from({ length: 3000 }, (_, row) => ({
      id: `${row % 1500}`.padStart(1000, 'x'),
      tags: [`${row}`.padStart(1000, 'y')],
      n: row % 2 ? row : `${row}`.padStart(1000, 'z'),
    }));
    const index = indexOf({ id: 'keyword', tags: 'keyword', n: 'number' }, records);
    const read = new PayloadIndex(index.fields);
    read.decode(index.encode(0, 3000), 3000, 'file');
    for (const each of [index, read]) {
      expect(compare(each, { id: records[1400]!.id }, records)).toBe(2);
      expect(compare(each, { id: records[2]!.id }, records)).toBe(0);
      expect(compare(each, { id: { $exists: true } }, records)).toBe(0);
      expect(compare(each, { id: { $gt: 5 } }, records)).toBe(0);
      expect(compare(each, { id: { $startsWith: 'x' } }, records)).toBeGreaterThan(1000);
      expect(compare(each, { tags: records[2900]!.tags[0] }, records)).toBeGreaterThan(1000);
      expect(compare(each, { n: { $gt: 1000 } }, records)).toBe(0);
      expect(compare(each, { n: records[2900]!.n }, records)).toBe(1);
      expect(compare(each, { n: { $ne: 7 } }, records)).toBe(0);
      expect(each.memoryBytes).toBeLessThan(3 * (1024 * 1024 + 8192 * 8));
    }
  });

  it('takes no more than 16 bytes a row and field, whatever it holds', () => {
    const index = new PayloadIndex({
      word: 'keyword',
      id: 'keyword',
      n: 'number',
      at: 'date',
      is: 'boolean',
    });
    const rows = 100_000;
    for (let row = 0; row < rows; row++)
      index.push({
        word: `word ${row % 50}`,
        id: `a long id ${row}`,
        n: row / 7,
        at: new Date(row).toISOString(),
        is: row % 2 === 0,
      });
    expect(index.memoryBytes / rows / 5).toBeLessThan(16);
  });

  it('tells numbers and texts apart, to the last bit', () => {
    const numbers = [0, -0, 5e-324, -5e-324, 0.1, 0.1 + Number.EPSILON / 8, 2 ** 53, -1.5, Number.MAX_VALUE];
    const records = [...numbers, '0', '', null, true].map((n) => ({ n }));
    const index = indexOf({ n: 'number' }, records);
    for (const bound of [...numbers, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      for (const operator of ['$gt', '$gte', '$lt', '$lte', '$eq', '$ne'])
        expect(compare(index, { n: { [operator]: bound } }, records)).toBe(0);
    expect(compare(index, { n: { $in: [...numbers, '0', 1, 2, 3, 4] } }, records)).toBe(0);
  });

  it('looks up very long lists of values in every kind of column', () => {
    const dates = Array.from({ length: 5000 }, (_, at) => new Date(at * 86_400_000).toISOString());
    const long = [...Array.from({ length: 5000 }, (_, at) => 2 * at), ...dates];
    const others = ['a', true, [1, 2], [], { b: 2 }, null, undefined, -0, 9999.5];
    const records = Array.from({ length: 300 }, (_, at) => {
      const value = at % 4 === 0 ? others[(at / 4) % others.length] : at % 3 === 0 ? dates[at] : at;
      return value === undefined ? {} : { f: value };
    });
    for (const kind of ['keyword', 'number', 'boolean', 'date'] as const)
      for (const values of [long, [...long, null], [...long, 'a', true, 1]]) {
        const index = indexOf({ f: kind }, records as Metadata[]);
        const isOpen = kind === 'date';
        for (const each of [
          { f: { $in: values } },
          { f: { $nin: values } },
          { $or: [{ f: 7 }, { f: { $in: values } }] },
        ]) {
          const asked = compare(index, each, records as Metadata[]);
          if (!isOpen) expect(asked).toBe(0);
        }
      }
  });

  it('gives up at a filter of very many conditions, and is right as far as it goes', () => {
    const records = Array.from({ length: 100 }, (_, n) => ({ n }));
    const index = indexOf({ n: 'number' }, records);
    const many = Array.from({ length: 10_000 }, (_, at) => ({ n: { $gt: at / 100 } }));
    expect(compare(index, { $or: many }, records)).toBe(0);
    expect(compare(index, { $or: [{ n: { $in: many.map((_, at) => at) } }, { m: 1 }] }, records)).toBe(0);
  });
});

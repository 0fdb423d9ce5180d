/**
 * Against an implementation of MongoDB's query language that is not ours. Where mingo differs from MongoDB (how null and
 * $exists look through arrays, arrays in arrays, numeric keys of objects in arrays), it is not asked: filter.test.ts
 * says what is right there.
 */
import * as fc from 'fast-check';
import { Query } from 'mingo';
import { describe, expect, it } from 'vitest';
import type { Filter, Metadata } from '../../src/base/api.ts';
import { compileFilter } from '../../src/filter/filter.ts';

/** Few and small, so that filters and documents meet. */
const key = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('', 'a', 'ab', 'b', 'B', 'ü', '.*', '2026-01-01T00:00:00.000Z');
const number = fc.constantFrom(-1, 0, 1, 1.5, 2, 1e300);
const value = fc.oneof(text, number, fc.boolean());
const valueOrNull = fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) });

const { tree: plainDocument } = fc.letrec<{ tree: Metadata }>((tie) => ({
  tree: fc.dictionary(
    key,
    fc.oneof(
      { weight: 4, arbitrary: valueOrNull },
      { weight: 2, arbitrary: fc.array(valueOrNull, { maxLength: 3 }) },
      { weight: 3, arbitrary: tie('tree') },
    ),
    { maxKeys: 3, noNullPrototype: true, depthIdentifier: 'document' },
  ),
}));
const documentOfLists: fc.Arbitrary<Metadata> = fc.dictionary(
  key,
  fc.oneof(value, fc.array(fc.dictionary(key, value, { noNullPrototype: true }), { maxLength: 3 })),
  { noNullPrototype: true },
);

function filterOf(path: fc.Arbitrary<string>, operand: fc.Arbitrary<unknown>, all: boolean) {
  const rangeOperand = fc.oneof(text, number);
  const operators = fc.oneof(
    fc.record({ $eq: operand }),
    fc.record({ $ne: operand }),
    fc.record({ $gt: rangeOperand }),
    fc.record({ $gte: rangeOperand }),
    fc.record({ $lt: rangeOperand }),
    fc.record({ $lte: rangeOperand }),
    fc.record({ $gte: number, $lt: number }),
    fc.record({ $in: fc.array(operand, { maxLength: 4 }) }),
    fc.record({ $nin: fc.array(operand, { maxLength: 4 }) }),
    ...(all ? [fc.record({ $exists: fc.boolean() })] : []),
  );
  const field = fc.oneof(operand, operators, fc.record({ $not: operators }));
  const { filter } = fc.letrec<{ filter: object }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.dictionary(path, field, { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
      fc.record({ $and: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ $or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ $nor: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    ),
  }));
  return filter;
}

function agree(filter: object, documents: Metadata[]): void {
  const ours = compileFilter(filter as Filter, 'filter');
  const theirs = new Query(filter as Record<string, unknown>);
  for (const each of documents) {
    const matches = theirs.test(each);
    expect({ filter, each, matches: ours.matches(each) }).toEqual({ filter, each, matches });
    if (matches)
      expect({ filter, each, mayMatch: ours.mayMatch(JSON.stringify(each)) }).toHaveProperty(
        'mayMatch',
        true,
      );
  }
}

const shallow = fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join('.'));

describe('filters and mingo agree', () => {
  it('on any document, for one field and for several at once', () => {
    fc.assert(
      fc.property(filterOf(key, valueOrNull, true), fc.array(plainDocument, { minLength: 10 }), agree),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('on nested objects, with null and missing fields', () => {
    const withoutLists = plainDocument.filter((each) => !JSON.stringify(each).includes('['));
    fc.assert(
      fc.property(filterOf(shallow, valueOrNull, true), fc.array(withoutLists, { minLength: 10 }), agree),
      { numRuns: 2000, seed: 2 },
    );
  });

  it('on lists of objects, an element of which is enough', () => {
    fc.assert(
      fc.property(filterOf(shallow, value, false), fc.array(documentOfLists, { minLength: 10 }), agree),
      { numRuns: 2000, seed: 3 },
    );
  });

  it('on elements of lists by their place', () => {
    const places = fc.tuple(key, fc.nat(2)).map(([each, index]) => `${each}.${index}`);
    const lists = fc.dictionary(key, fc.array(value, { maxLength: 3 }), { noNullPrototype: true });
    fc.assert(fc.property(filterOf(places, value, true), fc.array(lists, { minLength: 10 }), agree), {
      numRuns: 1000,
      seed: 4,
    });
  });

  it('on what begins with a text, as a pattern says it', () => {
    fc.assert(
      fc.property(key, text, fc.array(plainDocument, { minLength: 10 }), (field, prefix, documents) => {
        const ours = compileFilter({ [field]: { $startsWith: prefix } }, 'filter');
        const pattern = new RegExp(`^${prefix.replace(/[.*]/g, '\\$&')}`);
        const theirs = new Query({ [field]: { $regex: pattern } });
        for (const each of documents) expect(ours.matches(each)).toBe(theirs.test(each));
      }),
      { numRuns: 500, seed: 5 },
    );
  });
});

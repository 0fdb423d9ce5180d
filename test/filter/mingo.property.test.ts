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
import { documentOfLists, filterOf, key, plainDocument, text, value, valueOrNull } from './arbitraries.ts';

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

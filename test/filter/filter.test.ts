import { describe, expect, it } from 'vitest';
import type { Filter, Metadata } from '../../src/base/api.ts';
import { compileFilter } from '../../src/filter/filter.ts';

function matches(filter: unknown, metadata: Metadata): boolean {
  const compiled = compileFilter(filter as Filter, 'filter');
  const isMatch = compiled.matches(metadata);
  if (isMatch) expect(compiled.mayMatch(JSON.stringify(metadata))).toBe(true);
  return isMatch;
}

describe('a filter', () => {
  /** Those that match, those that do not. */
  const cases: [unknown, Metadata[], Metadata[]][] = [
    [{}, [{}, { a: 1 }], []],
    [Object.assign(Object.create(null), { a: 1 }), [{ a: 1 }], [{ a: 2 }]],
    [{ a: 1 }, [{ a: 1 }, { a: [2, 1] }], [{}, { a: '1' }, { a: true }, { a: { b: 1 } }, { a: [[1]] }]],
    [{ a: true }, [{ a: true }], [{ a: 1 }, { a: 'true' }]],
    [{ a: null }, [{}, { a: null }, { a: [1, null] }], [{ a: 0 }, { a: '' }, { a: [] }, { a: {} }]],
    [{ a: { $ne: 1 } }, [{}, { a: 2 }, { a: [2] }], [{ a: 1 }, { a: [1, 2] }]],
    [{ a: { $ne: null } }, [{ a: 0 }, { a: [] }], [{}, { a: null }]],
    [{ a: { $gt: 1 } }, [{ a: 2 }, { a: [0, 2] }], [{}, { a: 1 }, { a: '2' }, { a: null }, { a: true }]],
    [{ a: { $gte: 1, $lt: 3 } }, [{ a: 1 }, { a: [0, 5] }], [{ a: 3 }, { a: 0 }]],
    [{ a: { $lt: Number.POSITIVE_INFINITY } }, [{ a: 1e308 }], [{ a: 'x' }]],
    [{ a: { $gte: 'b' } }, [{ a: 'b' }, { a: 'ba' }, { a: 'ü' }], [{ a: 'a' }, { a: 'B' }, { a: 5 }]],
    [{ a: { $lt: '\u{1f600}' } }, [{ a: '\uffee' }, { a: '' }], [{ a: '\u{1f601}' }, { a: '\u{1f600}' }]],
    [{ a: { $in: [1, 'x'] } }, [{ a: 1 }, { a: ['y', 'x'] }], [{}, { a: '1' }]],
    [{ a: { $in: [null] } }, [{}, { a: null }], [{ a: 0 }]],
    [{ a: { $in: [] } }, [], [{}, { a: [] }]],
    [{ a: { $nin: [1, null] } }, [{ a: 2 }], [{}, { a: 1 }, { a: [2, 1] }]],
    [{ a: { $nin: [] } }, [{}, { a: 1 }], []],
    [{ a: { $exists: true } }, [{ a: null }, { a: [] }, { a: 0 }], [{}, { b: 1 }]],
    [{ a: { $exists: false } }, [{}], [{ a: null }]],
    [{ 'a.b': { $exists: true } }, [{ a: [{}, { b: null }] }], [{ a: [] }, { a: [1] }, { a: 'b' }]],
    [{ a: { $contains: 'b' } }, [{ a: ['b', 'c'] }, { a: 'abc' }], [{}, { a: ['abc'] }, { a: { b: 1 } }]],
    [{ a: { $contains: 5 } }, [{ a: [4, 5] }], [{ a: 5 }, { a: '5' }, { a: ['5'] }]],
    [{ a: { $contains: null } }, [{ a: [null] }], [{}, { a: null }, { a: 'null' }]],
    [{ 'a.b': { $contains: 'x' } }, [{ a: [{ b: 'axe' }] }, { a: { b: ['x'] } }], [{ a: [{ b: ['axe'] }] }]],
    [{ a: { $startsWith: 'ab' } }, [{ a: 'abc' }, { a: ['x', 'ab'] }], [{}, { a: 'a' }, { a: 'xab' }]],
    [{ a: { $startsWith: '.*(' } }, [{ a: '.*(x' }], [{ a: 'anything' }]],
    [{ a: { $not: { $gt: 1 } } }, [{}, { a: 1 }, { a: 'x' }], [{ a: 2 }, { a: [0, 2] }]],
    [{ a: { $not: { $gt: 1, $lt: 3 } } }, [{ a: 3 }, {}], [{ a: 2 }]],
    [{ $not: { a: 1, b: 2 } }, [{ a: 1 }, { a: 1, b: 3 }, {}], [{ a: 1, b: 2 }]],
    [{ $and: [{ a: 1 }, { a: 2 }] }, [{ a: [1, 2] }], [{ a: 1 }]],
    [{ $or: [{ a: 1 }, { a: 2 }, { b: { $gt: 0 } }] }, [{ a: 2 }, { b: 1 }], [{ a: 3 }, {}]],
    [{ $nor: [{ a: 1 }, { b: 2 }] }, [{}, { a: 2 }], [{ a: 1 }, { b: 2 }]],
    [
      { 'a.b.c': 1 },
      [{ a: { b: { c: 1 } } }, { a: [{ b: [{ c: [1] }] }] }],
      [{ 'a.b.c': 1 }, { a: { b: 1 } }],
    ],
    [{ 'a.b': null }, [{}, { a: 1 }, { a: { c: 1 } }, { a: [{ b: 1 }, {}] }], [{ a: [] }, { a: [1] }]],
    [{ 'a.1': 'y' }, [{ a: ['x', 'y'] }, { a: { 1: 'y' } }, { a: [{ 1: 'y' }] }], [{ a: ['y'] }]],
    [{ 'a.0.b': 1 }, [{ a: [{ b: 1 }] }, { a: [{ 0: { b: 1 } }] }], [{ a: [{}, { b: 1 }] }]],
    [{ 'a.01': 1 }, [{ a: { '01': 1 } }], [{ a: [0, 1] }]],
    [{ 'a..b': 1 }, [{ a: { '': { b: 1 } } }], [{ a: { b: 1 } }]],
    [{ '': 1 }, [{ '': 1 }], [{}]],
    [{ constructor: { $exists: true } }, [{ constructor: 1 }], [{}]],
    [{ 'constructor.name': 'Object' }, [], [{}, { a: 1 }]],
    [{ 'a.length': 1 }, [{ a: { length: 1 } }], [{ a: ['x'] }, { a: 'x' }]],
    [{ 'toString.length': { $gte: 0 } }, [], [{}]],
    [JSON.parse('{"__proto__": 1}'), [JSON.parse('{"__proto__": 1}')], [{}]],
    [JSON.parse('{"__proto__.a": 1}'), [JSON.parse('{"__proto__": {"a": 1}}')], [{}, { a: 1 }]],
    [{ a: '\ud800' }, [{ a: '\ud800' }], [{ a: '\ufffd' }]],
    [{ a: new Date(1000) }, [{ a: '1970-01-01T00:00:01.000Z' }], [{ a: 1000 }]],
    [
      { at: { $gte: new Date('2026-01-01'), $lt: new Date('2027-01-01') } },
      [{ at: '2026-11-21T13:00:00.000Z' }, { at: ['2026-01-01T00:00:00.000Z'] }],
      [{ at: '2025-12-31T23:59:59.999Z' }, { at: 1_780_000_000_000 }],
    ],
    [{ at: { $gte: '2026' } }, [{ at: '2026-01-01T00:00:00.000Z' }], [{ at: '2025-12-31' }]],
  ];

  it.each(cases)('%j matches what it should, and nothing else', (filter, right, wrong) => {
    for (const each of right) expect([each, matches(filter, each)]).toEqual([each, true]);
    for (const each of wrong) expect([each, matches(filter, each)]).toEqual([each, false]);
  });

  it('of 10,000 clauses is checked at once and asked in no time', () => {
    const clauses = Array.from({ length: 10_000 }, (_, index) => ({ a: index }));
    const mixed = Array.from({ length: 10_000 }, (_, index) => ({ [`field${index}`]: { $gt: index } }));
    const started = performance.now();
    const any = compileFilter({ $or: clauses }, 'filter');
    const none = compileFilter({ $and: clauses.map((clause) => ({ $not: clause })) }, 'filter');
    for (let round = 0; round < 100_000; round++) any.matches({ a: 20_000 });
    for (let round = 0; round < 100_000; round++) none.matches({ a: 20_000 });
    expect(any.matches({ a: 9_999 })).toBe(true);
    expect(none.matches({ a: 9_999 })).toBe(false);
    expect(matches({ $or: mixed }, { field9999: 10_000 })).toBe(true);
    // Some tens of milliseconds; one look a clause would take a minute.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('with a path that can be taken in many ways ends', () => {
    let value: unknown = [1];
    for (let level = 0; level < 30; level++) value = [{ 0: value }];
    const path = `a${'.0'.repeat(16)}`;
    expect(matches({ [path]: 'nowhere' }, { a: value })).toBe(false);
  });
});

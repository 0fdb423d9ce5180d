import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/filter.ts';

function refusalOf(filter: unknown): unknown {
  try {
    return compileFilter(filter, 'filter');
  } catch (error) {
    return error;
  }
}

const nested = (depth: number): unknown => {
  let filter: unknown = { a: 1 };
  for (let level = 0; level < depth; level++) filter = { $and: [filter] };
  return filter;
};
const negated = (depth: number): unknown => {
  let operators: unknown = { $eq: 1 };
  for (let level = 0; level < depth; level++) operators = { $not: operators };
  return { a: operators };
};

describe('a filter that is not one', () => {
  const bad: [string, unknown, string][] = [
    ['no object', 'year > 1900', 'filter'],
    ['null', null, 'filter'],
    ['an array', [{ a: 1 }], 'filter'],
    ['a Map', new Map([['a', 1]]), 'filter'],
    ['an object that inherits', Object.create({ a: 1 }), 'filter'],
    ['an unknown operator', { $where: 'true' }, 'filter.$where'],
    ['an unknown operator of a field', { a: { $regex: '.*' } }, 'filter.a.$regex'],
    ['an operator with the name of an inherited method', { a: { $constructor: 1 } }, 'filter.a.$constructor'],
    ["a field's operator without a field", { $gt: 1 }, 'filter.$gt'],
    ['operators and fields mixed', { a: { $gt: 1, b: 2 } }, 'filter.a.b'],
    ['an object to be equal to', { a: { b: 1 } }, 'filter.a.b'],
    ['an empty object to be equal to', { a: {} }, 'filter.a'],
    ['an array to be equal to', { tags: ['a', 'b'] }, 'filter.tags'],
    ['undefined', { owner: undefined }, 'filter.owner'],
    ['undefined for an operator', { a: { $ne: undefined } }, 'filter.a.$ne'],
    ['NaN', { a: Number.NaN }, 'filter.a'],
    ['a bigint', { a: 1n }, 'filter.a'],
    ['a function', { a: () => true }, 'filter.a'],
    ['a symbol', { a: Symbol('a') }, 'filter.a'],
    ['a regular expression', { a: /x/ }, 'filter.a'],
    ['an invalid Date', { a: new Date(Number.NaN) }, 'filter.a'],
    ['a Date that is not in order as text', { a: { $lt: new Date(9e14) } }, 'filter.a.$lt'],
    ['a range of booleans', { a: { $gt: true } }, 'filter.a.$gt'],
    ['a range of null', { a: { $lte: null } }, 'filter.a.$lte'],
    ['a range of an array', { a: { $lt: [1] } }, 'filter.a.$lt'],
    ['$in without an array', { a: { $in: 'abc' } }, 'filter.a.$in'],
    ['$in with an object', { a: { $in: [1, { b: 2 }] } }, 'filter.a.$in[1]'],
    ['$in with a hole', { a: { $in: new Array(1) } }, 'filter.a.$in[0]'],
    ['$nin with undefined', { a: { $nin: [undefined] } }, 'filter.a.$nin[0]'],
    ['$exists without true or false', { a: { $exists: 1 } }, 'filter.a.$exists'],
    ['$startsWith without a string', { a: { $startsWith: 7 } }, 'filter.a.$startsWith'],
    ['$contains with an array', { a: { $contains: ['x'] } }, 'filter.a.$contains'],
    ['an empty $and', { $and: [] }, 'filter.$and'],
    ['an empty $or', { $or: [] }, 'filter.$or'],
    ['an empty $nor', { $nor: [] }, 'filter.$nor'],
    ['$or without an array', { $or: { a: 1 } }, 'filter.$or'],
    ['$and of no objects', { $and: [{ a: 1 }, 7] }, 'filter.$and[1]'],
    ['$and with a hole', { $and: new Array(1) }, 'filter.$and[0]'],
    ['$not of a field without operators', { a: { $not: {} } }, 'filter.a.$not'],
    ['$not of a field and a value', { a: { $not: 5 } }, 'filter.a.$not'],
    ['$not of an array', { $not: [{ a: 1 }] }, 'filter.$not'],
    ['what lies deep', { $and: [{ a: 1 }, { b: 2 }, { price: { $gt: {} } }] }, 'filter.$and[2].price.$gt'],
    ['a path of many indexes', { ['0.'.repeat(17)]: 1 }, `filter.${'0.'.repeat(17)}`],
  ];

  it.each(bad)('is refused: %s', (_, filter, path) => {
    const refusal = refusalOf(filter);
    expect(refusal).toMatchObject({ name: 'IsovecError', code: 'INVALID_FILTER', details: { path } });
    expect((refusal as Error).message).toContain(path);
  });

  it.each([
    ['nested', nested],
    ['negated', negated],
  ])('is refused when it is %s too deeply, however deeply that is', (_, make) => {
    for (const depth of [200, 100_000])
      expect(refusalOf(make(depth))).toMatchObject({ code: 'INVALID_FILTER' });
    expect(refusalOf(make(20))).toHaveProperty('matches');
  });

  it('is not repeated whole in the error', () => {
    const refusal = refusalOf({ ['k'.repeat(1e6)]: { $gt: {} } }) as Error;
    expect(refusal.message.length).toBeLessThan(500);
    const inValue = refusalOf({ a: { $in: 'x'.repeat(1e6) } }) as Error;
    expect(inValue.message.length).toBeLessThan(500);
  });
});

describe('the key of a filter', () => {
  const keyOf = (filter: unknown) => compileFilter(filter, 'filter').key;

  it.each([
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, { a: { $eq: 1 } }],
    [{ a: 1, b: 2 }, { $and: [{ b: 2 }, { a: { $in: [1, 1] } }] }],
    [{ a: { $in: [1, 'x', null] } }, { a: { $in: [null, 1, 'x'] } }],
    [{ a: { $ne: 1 } }, { a: { $not: { $eq: 1 } } }],
    [{ $nor: [{ a: 1 }, { b: 2 }] }, { $not: { $or: [{ b: 2 }, { a: 1 }] } }],
    [{ a: new Date(0) }, { a: '1970-01-01T00:00:00.000Z' }],
  ])('is that of one that says the same: %j, %j', (one, other) => {
    expect(keyOf(one)).toBe(keyOf(other));
  });

  it('tells apart what is not the same', () => {
    const filters = [
      {},
      { a: 1 },
      { a: '1' },
      { a: true },
      { a: 'true' },
      { a: null },
      { a: 'null' },
      { b: 1 },
      { a: { $gt: 1 } },
      { a: { $gte: 1 } },
      { a: { $gt: '1' } },
      { a: { $gt: Number.POSITIVE_INFINITY } },
      { a: { $gt: Number.NEGATIVE_INFINITY } },
      { a: { $gt: 'Infinity' } },
      { a: { $exists: true } },
      { a: { $exists: false } },
      { a: { $contains: 1 } },
      { a: { $startsWith: 'x' } },
      { a: { $in: [] } },
      { a: { $in: ['1,2'] } },
      { a: { $in: [1, 2] } },
      { a: { $in: [12] } },
      { a: 1, b: 2 },
      { $or: [{ a: 1 }, { b: 2 }] },
      { $or: [{ a: 1 }, { b: 2 }], c: 3 },
      { $or: [{ a: 1 }, { b: 2, c: 3 }] },
    ];
    expect(new Set(filters.map(keyOf)).size).toBe(filters.length);
  });
});

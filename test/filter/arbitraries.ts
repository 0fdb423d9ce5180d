/** Documents and filters that meet. */
import * as fc from 'fast-check';
import type { Metadata } from '../../src/base/api.ts';

/** Few and small, so that filters and documents meet. */
export const key = fc.constantFrom('a', 'b', 'c');
export const text = fc.constantFrom('', 'a', 'ab', 'b', 'B', 'ü', '.*', '2026-01-01T00:00:00.000Z');
const number = fc.constantFrom(-1, 0, 1, 1.5, 2, 1e300);
export const value = fc.oneof(text, number, fc.boolean());
export const valueOrNull = fc.oneof(
  { weight: 6, arbitrary: value },
  { weight: 1, arbitrary: fc.constant(null) },
);

export const { tree: plainDocument } = fc.letrec<{ tree: Metadata }>((tie) => ({
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
export const documentOfLists: fc.Arbitrary<Metadata> = fc.dictionary(
  key,
  fc.oneof(value, fc.array(fc.dictionary(key, value, { noNullPrototype: true }), { maxLength: 3 })),
  { noNullPrototype: true },
);

export function filterOf(path: fc.Arbitrary<string>, operand: fc.Arbitrary<unknown>, all: boolean) {
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

/** Tests as intervals of numbers. */
import type { Test } from '../filter/condition.ts';
import { LONG_LIST, setOf } from '../filter/value-set.ts';
import { datesBefore, datesFrom, datesWithPrefix, orderOfDate } from './date-order.ts';

/** From `first` up to, not including, `end`. */
export interface Interval {
  first: number;
  end: number;
}

/** How values of a field become numbers, and which numbers pass a test. */
export interface NumberScale {
  /** @returns undefined for what has no number */
  numberOf(value: unknown): number | undefined;
  /** @returns undefined where the numbers do not tell; else what passes is in one of them, or of a longer list one of these
   *  numbers */
  intervalsOf(test: Test): Interval[] | ReadonlySet<unknown> | undefined;
}

const EVERYTHING: Interval = { first: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

export const NUMBERS: NumberScale = {
  numberOf: (value) => (typeof value === 'number' ? value : undefined),
  intervalsOf(test) {
    switch (test.kind) {
      case 'in':
        return test.values.length > INTERVALS_MAX ? setOf(test.values) : pointsOf(test.values, NUMBERS);
      case 'range':
        return typeof test.bound === 'number' ? [rangeOf(test.operator, test.bound)] : [];
      case 'exists':
        return [EVERYTHING];
      default:
        return [];
    }
  },
};

export const DATES: NumberScale = {
  numberOf: orderOfDate,
  intervalsOf(test) {
    switch (test.kind) {
      case 'in':
        // To make numbers of a million dates takes half a second.
        return test.values.length > LONG_LIST ? undefined : pointsOf(test.values, DATES);
      case 'range': {
        const { operator, bound } = test;
        if (typeof bound !== 'string') return [];
        if (operator === '$gt' || operator === '$gte') return [datesFrom(bound, operator === '$gte')];
        return [datesBefore(bound, operator === '$lte')];
      }
      case 'exists':
        return [EVERYTHING];
      case 'startsWith':
        return [datesWithPrefix(test.prefix)];
      case 'contains':
        return typeof test.value === 'string' ? undefined : [];
    }
  },
};

/** To look at every row for more values than this takes longer than to look each row up. */
const INTERVALS_MAX = 8;

function pointsOf(values: readonly unknown[], scale: NumberScale): Interval[] | ReadonlySet<number> {
  const numbers = new Set(values.map(scale.numberOf).filter((number) => number !== undefined));
  if (numbers.size > INTERVALS_MAX) return numbers;
  return Array.from(numbers, (number) => ({ first: number, end: nextUp(number) }));
}

/** All that are there are finite, and equal to their bound when they are zero with another sign. */
function rangeOf(operator: '$gt' | '$gte' | '$lt' | '$lte', bound: number): Interval {
  switch (operator) {
    case '$gt':
      return { first: nextUp(bound), end: Number.POSITIVE_INFINITY };
    case '$gte':
      return { first: bound, end: Number.POSITIVE_INFINITY };
    case '$lt':
      return { first: Number.NEGATIVE_INFINITY, end: bound };
    case '$lte':
      return { first: Number.NEGATIVE_INFINITY, end: nextUp(bound) };
  }
}

/** The least number that is greater; of infinity, itself. */
function nextUp(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return value;
  if (value === 0) return Number.MIN_VALUE;
  const float = Float64Array.of(value);
  const bits = new BigInt64Array(float.buffer);
  bits[0]! += value > 0 ? 1n : -1n;
  return float[0]!;
}

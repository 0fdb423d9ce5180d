/** Tests as intervals of numbers. */
import type { Test } from '../filter/condition.ts';
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
  /** @returns undefined where the numbers do not tell; else what passes is in one of them */
  intervalsOf(test: Test): Interval[] | undefined;
}

const EVERYTHING: Interval = { first: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

export const NUMBERS: NumberScale = {
  numberOf: (value) => (typeof value === 'number' ? value : undefined),
  intervalsOf(test) {
    switch (test.kind) {
      case 'in':
        return pointsOf(test.values, NUMBERS);
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
        return pointsOf(test.values, DATES);
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

function pointsOf(values: readonly unknown[], scale: NumberScale): Interval[] {
  const numbers = values.map(scale.numberOf).filter((number) => number !== undefined);
  return [...new Set(numbers)].map((number) => ({ first: number, end: nextUp(number) }));
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

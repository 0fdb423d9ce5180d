/** A filter that has been checked. What MongoDB's language says in several ways, this says in one. */
export type Condition =
  /** Without parts: always. */
  | { kind: 'and'; parts: Condition[] }
  /** Without parts: never. */
  | { kind: 'or'; parts: Condition[] }
  | { kind: 'not'; part: Condition }
  | { kind: 'field'; path: string; test: Test };

/** Of the values that a path leads to: one that passes is enough. */
export type Test =
  | { kind: 'in'; values: Scalar[] }
  | { kind: 'range'; operator: RangeOperator; bound: number | string }
  | { kind: 'exists' }
  | { kind: 'contains'; value: Scalar }
  | { kind: 'startsWith'; prefix: string };

export type RangeOperator = '$gt' | '$gte' | '$lt' | '$lte';

export type Scalar = string | number | boolean | null;

/** A segment of a path that can lead to an element of an array. */
export const ARRAY_INDEX = /^(0|[1-9]\d*)$/;

/** The same for filters that say the same in another order. */
export function keyOf(condition: Condition): string {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return `${condition.kind}(${[...new Set(condition.parts.map(keyOf))].sort().join()})`;
    case 'not':
      return `not(${keyOf(condition.part)})`;
    case 'field':
      return JSON.stringify([condition.path, inOrder(condition.test)], named);
  }
}

function inOrder(test: Test): Test {
  return test.kind === 'in' ? { ...test, values: [...new Set(test.values)].sort(byTypeAndValue) } : test;
}

function byTypeAndValue(a: Scalar, b: Scalar): number {
  const [first, second] = [`${typeof a} ${a}`, `${typeof b} ${b}`];
  return first < second ? -1 : Number(first > second);
}

/** JSON has no infinity. */
function named(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? [String(value)] : value;
}

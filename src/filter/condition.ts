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

/** What says more is not compared: to put it in order takes longer than to ask it again. */
const KEY_LENGTH_MAX = 65_536;

/** The same for filters that say the same in another order. @returns undefined of one that says very much */
export function keyOf(condition: Condition): string | undefined {
  return lengthOf(condition, KEY_LENGTH_MAX) > KEY_LENGTH_MAX ? undefined : orderedText(condition);
}

/** About as many characters as it takes to write it down; no longer counted once there are more than `most`. */
function lengthOf(condition: Condition, most: number): number {
  if (condition.kind === 'not') return lengthOf(condition.part, most);
  let length = 0;
  if (condition.kind === 'field') {
    const { path, test } = condition;
    length += path.length;
    if (test.kind === 'range') length += String(test.bound).length;
    else if (test.kind === 'contains') length += String(test.value).length;
    else if (test.kind === 'startsWith') length += test.prefix.length;
    else if (test.kind === 'in')
      for (const value of test.values) {
        length += 1 + String(value).length;
        if (length > most) break;
      }
    return length;
  }
  for (const part of condition.parts) {
    length += 1 + lengthOf(part, most - length);
    if (length > most) break;
  }
  return length;
}

function orderedText(condition: Condition): string {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return `${condition.kind}(${[...new Set(condition.parts.map(orderedText))].sort().join()})`;
    case 'not':
      return `not(${orderedText(condition.part)})`;
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

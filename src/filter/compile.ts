/** Conditions as functions. */
import type { Metadata } from '../base/api.ts';
import { ARRAY_INDEX, type Condition, type RangeOperator, type Scalar, type Test } from './condition.ts';
import { compareText } from './text-order.ts';
import { joinedValues, setOf } from './value-set.ts';

export type Predicate = (metadata: Metadata) => boolean;

/** Of a value that a path leads to, undefined where it leads nowhere. */
export type ValueTest = (value: unknown) => boolean;

export function compileCondition(condition: Condition): Predicate {
  switch (condition.kind) {
    case 'and':
      return compileAll(condition.parts);
    case 'or':
      return compileAny(condition.parts);
    case 'not': {
      const part = compileCondition(condition.part);
      return (metadata) => !part(metadata);
    }
    case 'field':
      return compileField(condition.path, valueTest(condition.test));
  }
}

/** What must all not be so is what must not be any of it: so many of these become one look, too. */
function compileAll(parts: readonly Condition[]): Predicate {
  const negated = parts.flatMap((part) => (part.kind === 'not' ? [part.part] : []));
  const predicates = parts.filter(({ kind }) => kind !== 'not').map(compileCondition);
  if (negated.length > 0) {
    const any = compileAny(negated);
    predicates.push((metadata) => !any(metadata));
  }
  return (metadata) => {
    for (const predicate of predicates) if (!predicate(metadata)) return false;
    return true;
  };
}

function compileAny(parts: readonly Condition[]): Predicate {
  const predicates = joinedValues(parts).map(compileCondition);
  return (metadata) => {
    for (const predicate of predicates) if (predicate(metadata)) return true;
    return false;
  };
}

export function valueTest(test: Test): ValueTest {
  switch (test.kind) {
    case 'in':
      return orElement(isOneOf(test.values));
    case 'range':
      return orElement(
        typeof test.bound === 'number'
          ? numberTest(test.operator, test.bound)
          : textTest(test.operator, test.bound),
      );
    case 'exists':
      return (value) => value !== undefined;
    case 'contains': {
      const { value: wanted } = test;
      return (value) =>
        Array.isArray(value)
          ? value.includes(wanted)
          : typeof value === 'string' && typeof wanted === 'string' && value.includes(wanted);
    }
    case 'startsWith':
      return orElement((value) => typeof value === 'string' && value.startsWith(test.prefix));
  }
}

/** An array passes if one of its elements does. */
function orElement(test: ValueTest): ValueTest {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

/** What is missing is null. */
function isOneOf(values: readonly Scalar[]): ValueTest {
  if (values.length === 1 && values[0] !== null) {
    const [wanted] = values;
    return (value) => value === wanted;
  }
  let wanted: ReadonlySet<unknown> | undefined;
  return (value) => {
    wanted ??= setOf(values);
    return wanted.has(value === undefined ? null : value);
  };
}

function numberTest(operator: RangeOperator, bound: number): ValueTest {
  switch (operator) {
    case '$gt':
      return (value) => typeof value === 'number' && value > bound;
    case '$gte':
      return (value) => typeof value === 'number' && value >= bound;
    case '$lt':
      return (value) => typeof value === 'number' && value < bound;
    case '$lte':
      return (value) => typeof value === 'number' && value <= bound;
  }
}

function textTest(operator: RangeOperator, bound: string): ValueTest {
  const compare = compareText(bound);
  switch (operator) {
    case '$gt':
      return (value) => typeof value === 'string' && compare(value) > 0;
    case '$gte':
      return (value) => typeof value === 'string' && compare(value) >= 0;
    case '$lt':
      return (value) => typeof value === 'string' && compare(value) < 0;
    case '$lte':
      return (value) => typeof value === 'string' && compare(value) <= 0;
  }
}

// ---------------------------------------------------------------- paths

interface Segment {
  key: string;
  /** If it can be one of an array. */
  index: number | undefined;
}

/** Calls the test with one value after another, until one passes. */
export function compileField(path: string, test: ValueTest): Predicate {
  const segments = path
    .split('.')
    .map((key): Segment => ({ key, index: ARRAY_INDEX.test(key) ? Number(key) : undefined }));
  return (metadata) => leadsTo(metadata, segments, 0, test);
}

/** Goes on from the segment `at`. How deep it calls itself is bounded by the metadata. */
function leadsTo(from: unknown, segments: readonly Segment[], at: number, test: ValueTest): boolean {
  let value = from;
  for (let next = at; next < segments.length; next++) {
    if (Array.isArray(value)) return leadsThrough(value, segments, next, test);
    const { key } = segments[next]!;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return test(undefined);
    value = (value as Record<string, unknown>)[key];
  }
  return test(value);
}

/** By its index to an element, and by its key on from every element that is an object. */
function leadsThrough(
  array: readonly unknown[],
  segments: readonly Segment[],
  at: number,
  test: ValueTest,
): boolean {
  const { index } = segments[at]!;
  if (index !== undefined && index < array.length && leadsTo(array[index], segments, at + 1, test))
    return true;
  for (const element of array)
    if (typeof element === 'object' && element !== null && !Array.isArray(element))
      if (leadsTo(element, segments, at, test)) return true;
  return false;
}

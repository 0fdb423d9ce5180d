/** The door for filters: whatever is given becomes a condition, or an error that names its place. See docs/filters.md. */
import { IsovecError } from '../base/errors.ts';
import { FILTER_DEPTH_MAX, FILTER_INDEXES_MAX } from '../base/limits.ts';
import { isPlainObject } from '../base/plain.ts';
import { summarize } from '../base/summarize.ts';
import { ARRAY_INDEX, type Condition, type RangeOperator, type Scalar, type Test } from './condition.ts';

type Operand = { value: unknown; path: string; depth: number };

/**
 * @param name of the filter, for errors: what is wrong in it has a path like `filter.$and[2].price.$gt`
 * @throws IsovecError INVALID_FILTER
 */
export function parseFilter(filter: unknown, name: string): Condition {
  return parseObject({ value: filter, path: name, depth: 0 });
}

function parseObject(given: Operand): Condition {
  const { path, depth } = given;
  if (depth > FILTER_DEPTH_MAX) throw invalid(path, `lies more than ${FILTER_DEPTH_MAX} levels deep`);
  if (!isPlainObject(given.value))
    throw invalid(path, `must be an object of conditions, not ${summarize(given.value)}`);
  const parts = Object.entries(given.value).map(([key, value]) => {
    const operand = { value, path: `${path}.${shortened(key)}`, depth: depth + 1 };
    return key.startsWith('$') ? parseLogical(key, operand) : parseField(key, operand);
  });
  return all(parts);
}

function parseLogical(operator: string, operand: Operand): Condition {
  switch (operator) {
    case '$and':
      return all(parseList(operand));
    case '$or':
      return { kind: 'or', parts: parseList(operand) };
    case '$nor':
      return not({ kind: 'or', parts: parseList(operand) });
    case '$not':
      return not(parseObject(operand));
    default:
      throw invalid(
        operand.path,
        operator in FIELD_OPERATORS
          ? `is an operator of a field: { field: { ${operator}: ... } }`
          : 'is not an operator; known are $and, $or, $nor, $not and, of a field, ' +
              Object.keys(FIELD_OPERATORS).join(', '),
      );
  }
}

function parseList({ value, path, depth }: Operand): Condition[] {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(path, `must be an array of one filter or more, not ${summarize(value)}`);
  return Array.from(value, (each: unknown, index) =>
    parseObject({ value: each, path: `${path}[${index}]`, depth: depth + 1 }),
  );
}

function parseField(field: string, operand: Operand): Condition {
  const indexes = field.split('.').filter((segment) => ARRAY_INDEX.test(segment)).length;
  if (indexes > FILTER_INDEXES_MAX)
    throw invalid(
      operand.path,
      `has ${indexes} segments that are numbers; at most ${FILTER_INDEXES_MAX} may`,
    );
  if (!isPlainObject(operand.value)) return equals(field, operand);
  return parseOperators(field, operand);
}

function parseOperators(field: string, { value, path, depth }: Operand): Condition {
  if (depth > FILTER_DEPTH_MAX) throw invalid(path, `lies more than ${FILTER_DEPTH_MAX} levels deep`);
  const operators = isPlainObject(value) ? Object.entries(value) : [];
  if (operators.length === 0)
    throw invalid(path, `must be an object of one operator or more, not ${summarize(value)}`);
  return all(
    operators.map(([operator, operand]) => {
      const place = { value: operand, path: `${path}.${shortened(operator)}`, depth: depth + 1 };
      if (!operator.startsWith('$'))
        throw invalid(
          place.path,
          'is a field among operators; of a field within a field use its dotted path: "a.b"',
        );
      if (!Object.hasOwn(FIELD_OPERATORS, operator))
        throw invalid(
          place.path,
          `is not an operator of a field; known are ${Object.keys(FIELD_OPERATORS).join(', ')}`,
        );
      return FIELD_OPERATORS[operator as keyof typeof FIELD_OPERATORS](field, place);
    }),
  );
}

const FIELD_OPERATORS = {
  $eq: equals,
  $ne: (field: string, operand: Operand) => not(equals(field, operand)),
  $gt: range('$gt'),
  $gte: range('$gte'),
  $lt: range('$lt'),
  $lte: range('$lte'),
  $in: isIn,
  $nin: (field: string, operand: Operand) => not(isIn(field, operand)),
  $exists: (field: string, { value, path }: Operand) => {
    if (typeof value !== 'boolean') throw invalid(path, `must be true or false, not ${summarize(value)}`);
    const exists = test(field, { kind: 'exists' });
    return value ? exists : not(exists);
  },
  $contains: (field: string, operand: Operand) => test(field, { kind: 'contains', value: scalarOf(operand) }),
  $startsWith: (field: string, { value, path }: Operand) => {
    if (typeof value !== 'string') throw invalid(path, `must be a string, not ${summarize(value)}`);
    return test(field, { kind: 'startsWith', prefix: value });
  },
  $not: (field: string, operand: Operand) => not(parseOperators(field, operand)),
};

function equals(field: string, operand: Operand): Condition {
  return test(field, { kind: 'in', values: [scalarOf(operand)] });
}

function isIn(field: string, { value, path, depth }: Operand): Condition {
  if (!Array.isArray(value)) throw invalid(path, `must be an array of values, not ${summarize(value)}`);
  // There may be a million, and hardly one whose place is to be told.
  const values = Array.from(value, (each: unknown, index) =>
    isScalar(each) ? each : scalarOf({ value: each, path: `${path}[${index}]`, depth }),
  );
  return test(field, { kind: 'in', values });
}

function range(operator: RangeOperator): (field: string, operand: Operand) => Condition {
  return (field, operand) => {
    const bound = scalarOf(operand);
    if (typeof bound !== 'number' && typeof bound !== 'string')
      throw invalid(operand.path, `must be a number, a string or a Date, not ${summarize(bound)}`);
    return test(field, { kind: 'range', operator, bound });
  };
}

function isScalar(value: unknown): value is Scalar {
  if (typeof value === 'number') return !Number.isNaN(value);
  return typeof value === 'string' || typeof value === 'boolean' || value === null;
}

/** A Date is what it is stored as. */
function scalarOf({ value, path }: Operand): Scalar {
  if (isScalar(value)) return value;
  if (value instanceof Date) return isoOf(value, path);
  if (Array.isArray(value))
    throw invalid(
      path,
      `must be one value, not ${summarize(value)}: for any of several use $in, for an element of an array the element`,
    );
  throw invalid(path, `must be a string, a number, true, false, null or a Date, not ${summarize(value)}`);
}

function isoOf(date: Date, path: string): string {
  if (Number.isNaN(date.getTime())) throw invalid(path, 'is an invalid Date');
  const iso = date.toISOString();
  if (!/^\d{4}-/.test(iso))
    throw invalid(path, 'must be a Date of the years 0 to 9999: others are not in order as text');
  return iso;
}

function test(path: string, test: Test): Condition {
  return { kind: 'field', path, test };
}

function all(parts: Condition[]): Condition {
  return parts.length === 1 ? parts[0]! : { kind: 'and', parts };
}

function not(part: Condition): Condition {
  return { kind: 'not', part };
}

/** Of a key in a path. */
const KEY_SHOWN_MAX = 100;

function shortened(key: string): string {
  return key.length > KEY_SHOWN_MAX ? `${key.slice(0, KEY_SHOWN_MAX)}...` : key;
}

function invalid(path: string, what: string): IsovecError {
  return new IsovecError('INVALID_FILTER', `${path} ${what}`, { details: { path } });
}

/** The keywords of JSON Schema 2020-12 that say what is valid, each with what its value must be. */

import { isJsonObject } from './canonical.ts';

const TYPES = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];

interface ValueKind {
  expected: string;
  isRight: (value: unknown) => boolean;
}

const isString = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every(isString);

const STRING: ValueKind = { expected: 'a string', isRight: isString };
const NUMBER: ValueKind = { expected: 'a number', isRight: isNumber };
const COUNT: ValueKind = {
  expected: 'an integer that is not negative',
  isRight: (value) => Number.isInteger(value) && (value as number) >= 0,
};
const STRINGS: ValueKind = { expected: 'an array of strings', isRight: isStrings };

export const VALUE_KEYWORDS: ReadonlyMap<string, ValueKind> = new Map([
  ['$schema', STRING],
  ['$id', STRING],
  ['$anchor', STRING],
  ['$ref', STRING],
  ['format', STRING],
  [
    'type',
    {
      expected: `one of ${TYPES.join(', ')}, or an array of them`,
      isRight: (value) => [value].flat().every((type) => TYPES.includes(type as string)),
    },
  ],
  ['const', { expected: 'a value', isRight: () => true }],
  ['enum', { expected: 'an array', isRight: Array.isArray }],
  ['minimum', NUMBER],
  ['maximum', NUMBER],
  ['exclusiveMinimum', NUMBER],
  ['exclusiveMaximum', NUMBER],
  [
    'multipleOf',
    { expected: 'a positive number', isRight: (value) => isNumber(value) && (value as number) > 0 },
  ],
  ['minLength', COUNT],
  ['maxLength', COUNT],
  ['minItems', COUNT],
  ['maxItems', COUNT],
  ['minProperties', COUNT],
  ['maxProperties', COUNT],
  ['minContains', COUNT],
  ['maxContains', COUNT],
  ['uniqueItems', { expected: 'true or false', isRight: (value) => typeof value === 'boolean' }],
  ['required', STRINGS],
  [
    'dependentRequired',
    {
      expected: 'an object of arrays of strings',
      isRight: (value) => isJsonObject(value) && Object.values(value).every(isStrings),
    },
  ],
  ['pattern', { expected: 'a regular expression', isRight: isPattern }],
]);

/** Their value is a schema. */
export const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  'not',
  'if',
  'then',
  'else',
  'items',
  'contains',
  'propertyNames',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
]);

/** Their value is an array of schemas. */
export const SCHEMA_LIST_KEYWORDS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);

/** Their value is an object of schemas. */
export const SCHEMA_MAP_KEYWORDS: ReadonlySet<string> = new Set([
  '$defs',
  'definitions',
  'properties',
  'patternProperties',
  'dependentSchemas',
]);

/** What would be passed over in silence, though whoever wrote it relies on it; and what to write instead. */
export const REFUSED_KEYWORDS: ReadonlyMap<string, string> = new Map([
  ['$dynamicRef', '$ref'],
  ['$dynamicAnchor', '$anchor'],
  ['$recursiveRef', '$ref'],
  ['$recursiveAnchor', '$anchor'],
  ['dependencies', 'dependentRequired or dependentSchemas'],
  ['additionalItems', 'items, beside prefixItems'],
]);

export function isPattern(value: unknown): boolean {
  try {
    return isString(value) && new RegExp(value as string, 'u') !== undefined;
  } catch {
    return false;
  }
}

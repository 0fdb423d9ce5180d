/** Checks of what callers give. Each error names the place by path, what was expected there, and what it got. */
import {
  checkBoolean,
  checkInteger,
  checkKeys,
  checkObject,
  checkOneOf,
  invalid,
  placeOf,
} from '../base/check.ts';
import { DIMENSIONS_MAX } from '../base/limits.ts';

/** @throws IsovecError INVALID_ARGUMENT */
export type Check = (value: unknown, path: string) => void;

/** One check for each field that there may be. */
export type Checks<T> = { [Field in keyof Required<T>]: Check };

/**
 * @param name of the whole: 'options', 'document'
 * @param path of the whole, before the names of its fields; '' where these are places themselves
 */
export function checkFields<T>(value: unknown, name: string, checks: Checks<T>, path = ''): void {
  checkObject(value, name);
  checkKeys(value, Object.keys(checks), path);
  for (const [key, check] of Object.entries<Check>(checks))
    check((value as Record<string, unknown>)[key], placeOf(path, key));
}

export const optional =
  (check: Check): Check =>
  (value, path) => {
    if (value !== undefined) check(value, path);
  };

/** What somebody else checks. */
export const unchecked: Check = () => {};

function checkOf(expected: string, isValid: (value: unknown) => boolean): Check {
  return (value, path) => {
    if (!isValid(value)) throw invalid(path, expected, value);
  };
}

export const aString = checkOf('a string', (value) => typeof value === 'string');
export const aName = checkOf(
  'a string that is not empty',
  (value) => typeof value === 'string' && value !== '',
);
export const aBoolean: Check = checkBoolean;
export const aNumber = checkOf('a number', Number.isFinite);
export const aFunction = checkOf('a function', (value) => typeof value === 'function');
export const anArray = checkOf('an array', Array.isArray);
export const aSignal = checkOf('an AbortSignal', (value) => value instanceof AbortSignal);
export const anObject: Check = checkObject;

export const anInteger =
  (min: number, max: number): Check =>
  (value, path) =>
    checkInteger(value, min, max, path);

export const aWholeNumber = (min: number): Check =>
  checkOf(`a whole number from ${min}`, (value) => Number.isSafeInteger(value) && (value as number) >= min);

export const oneOf =
  (known: readonly unknown[]): Check =>
  (value, path) =>
    checkOneOf(value, known, path);

export const dimensions = anInteger(1, DIMENSIONS_MAX);

export const anEmbedder: Check = (value, path) => {
  anObject(value, path);
  const embedder = value as Record<string, unknown>;
  aFunction(embedder.embed, `${path}.embed`);
  aName(embedder.fingerprint, `${path}.fingerprint`);
  dimensions(embedder.dimensions, `${path}.dimensions`);
};

export const prefixes: Check = (value, path) => {
  const checks = { document: optional(aString), query: optional(aString) };
  checkFields(value, path, checks, path);
};

export const strings: Check = (value, path) => {
  anObject(value, path);
  for (const [key, each] of Object.entries(value as object)) aString(each, `${path}.${key}`);
};

/** Of a page, a relative one will do. */
export const aWebAddress = checkOf('an http or https address', (value) => {
  if (typeof value !== 'string' || value === '') return false;
  const page = globalThis.location?.href;
  return URL.canParse(value, page) && /^https?:$/.test(new URL(value, page).protocol);
});

/** As `countTokens`, but what it gives is looked at. */
export function checkedCount(countTokens: (text: string) => number): (text: string) => number {
  return (text) => {
    const count: unknown = countTokens(text);
    if (typeof count === 'number' && count >= 0) return count;
    throw invalid('countTokens', 'a function that gives a number from 0', count);
  };
}

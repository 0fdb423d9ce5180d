/** Small checks that several doors share. Each error names the place by path, what it got and what it expected. */
import { IsovecError } from './errors.ts';
import { summarize } from './summarize.ts';

export function invalid(path: string, expected: string, got: unknown): IsovecError {
  return new IsovecError('INVALID_ARGUMENT', `${path} must be ${expected}, not ${summarize(got)}`, {
    details: { path },
  });
}

export function unsupported(what: string, path: string): IsovecError {
  return new IsovecError('UNSUPPORTED', `${what} (${path}) is not supported by this version of isovec`, {
    details: { path },
  });
}

export function checkObject(value: unknown, path: string): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, 'an object', value);
}

export function placeOf(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** @param path of the object; '' where its keys are places themselves */
export function checkKeys(value: object, known: readonly string[], path: string): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const place = placeOf(path, key);
    throw new IsovecError('INVALID_ARGUMENT', `${place} is not known; known are ${known.join(', ')}`, {
      details: { path: place },
    });
  }
}

export function checkInteger(
  value: unknown,
  min: number,
  max: number,
  path: string,
): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    throw invalid(path, `an integer from ${min} to ${max}`, value);
}

export function checkOneOf(value: unknown, options: readonly unknown[], path: string): void {
  if (!options.includes(value)) throw invalid(path, `one of ${options.join(', ')}`, value);
}

export function checkBoolean(value: unknown, path: string): void {
  if (typeof value !== 'boolean') throw invalid(path, 'true or false', value);
}

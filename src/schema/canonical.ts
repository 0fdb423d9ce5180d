import { IsovecError } from '../base/errors.ts';
import { SCHEMA_DEPTH_MAX, SCHEMA_LENGTH_MAX } from '../base/limits.ts';
import { summarize } from '../base/summarize.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * A copy of a schema, with the keys of each object in order: two that say the same are the same JSON.
 * @throws IsovecError INVALID_ARGUMENT for what JSON cannot hold, naming the place
 */
export function canonicalSchema(schema: unknown, path: string): { [key: string]: Json } {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw badSchema(path, `must be an object, not ${summarize(schema)}`);
  const copy = copyOf(schema, path, 0);
  const { length } = JSON.stringify(copy);
  if (length > SCHEMA_LENGTH_MAX)
    throw badSchema(path, `must be JSON of at most ${SCHEMA_LENGTH_MAX} characters, not ${length}`);
  return copy as { [key: string]: Json };
}

export function badSchema(path: string, problem: string, cause?: unknown): IsovecError {
  return new IsovecError('INVALID_ARGUMENT', `${path} ${problem}`, {
    details: { path },
    ...(cause !== undefined && { cause }),
  });
}

function copyOf(value: unknown, path: string, depth: number): Json {
  if (depth > SCHEMA_DEPTH_MAX) throw badSchema(path, `lies more than ${SCHEMA_DEPTH_MAX} levels deep`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value))
    return value.map((element, index) => copyOf(element, `${path}[${index}]`, depth + 1));
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== null && prototype !== Object.prototype)
    throw badSchema(path, `is ${summarize(value)}, which JSON cannot hold`);
  const entries = Object.entries(value as object).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, copyOf(field, `${path}.${key}`, depth + 1)]));
}

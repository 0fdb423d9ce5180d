import { SchemaProblem } from './schema-problem.ts';

/** How deep the JSON of a schema may nest: two levels or three for each level of what it describes. Bounds recursion. */
const SCHEMA_DEPTH_MAX = 128;
/** Of a schema as JSON, in UTF-16 units: each checkpoint writes it anew. */
const SCHEMA_LENGTH_MAX = 262_144;

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A copy of a schema, with the keys of each object in order: two that say the same are the same JSON.
 * @throws SchemaProblem for what JSON cannot hold
 */
export function canonicalSchema(schema: unknown, path: string): JsonObject {
  if (!isJsonObject(schema)) throw new SchemaProblem(path, 'must be an object', { value: schema });
  const copy = copyOf(schema, path, 0);
  const { length } = JSON.stringify(copy);
  if (length > SCHEMA_LENGTH_MAX)
    throw new SchemaProblem(path, `must be JSON of at most ${SCHEMA_LENGTH_MAX} characters, not ${length}`);
  return copy as JsonObject;
}

function copyOf(value: unknown, path: string, depth: number): Json {
  if (depth > SCHEMA_DEPTH_MAX)
    throw new SchemaProblem(path, `lies more than ${SCHEMA_DEPTH_MAX} levels deep`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value))
    return value.map((element, index) => copyOf(element, `${path}[${index}]`, depth + 1));
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== null && prototype !== Object.prototype)
    throw new SchemaProblem(path, 'must be JSON', { value });
  const entries = Object.entries(value as object).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, copyOf(field, `${path}.${key}`, depth + 1)]));
}

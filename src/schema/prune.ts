import { format, type Schema } from '@cfworker/json-schema';
import { isJsonObject, type Json } from './canonical.ts';
import {
  isPattern,
  REFUSED_KEYWORDS,
  SCHEMA_KEYWORDS,
  SCHEMA_LIST_KEYWORDS,
  SCHEMA_MAP_KEYWORDS,
  VALUE_KEYWORDS,
} from './keywords.ts';
import { SchemaProblem } from './schema-problem.ts';

const DIALECT = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

/** A schema within a schema, and its place. */
export interface PlacedSchema {
  schema: Schema;
  path: string;
}

/**
 * What of a schema says what is valid, in an object of its own: the validator writes into it, and takes what the
 * standard leaves to annotations for keywords of older drafts.
 * @param found gets each schema in it that is an object
 * @throws SchemaProblem
 */
export function pruneSchema(schema: Json, path: string, found: PlacedSchema[]): Schema | boolean {
  if (typeof schema === 'boolean') return schema;
  if (!isJsonObject(schema))
    throw new SchemaProblem(path, `must be a schema: an object or a boolean`, { value: schema });
  const pruned: [string, unknown][] = [];
  for (const [key, value] of Object.entries(schema)) {
    const kept = pruneKeyword(key, value, `${path}.${key}`, found);
    if (kept !== undefined) pruned.push([key, kept]);
  }
  const placed: PlacedSchema = { schema: Object.fromEntries(pruned), path };
  found.push(placed);
  return placed.schema;
}

/** @returns undefined for what says nothing of validity */
function pruneKeyword(key: string, value: Json, path: string, found: PlacedSchema[]): unknown {
  const instead = REFUSED_KEYWORDS.get(key);
  if (instead !== undefined) throw new SchemaProblem(path, `is not supported: use ${instead}`);
  if (SCHEMA_KEYWORDS.has(key)) {
    if (key === 'items' && Array.isArray(value))
      throw new SchemaProblem(path, 'must be a schema: use prefixItems for an array');
    return pruneSchema(value, path, found);
  }
  if (SCHEMA_LIST_KEYWORDS.has(key)) {
    if (!Array.isArray(value) || value.length === 0)
      throw new SchemaProblem(path, `must be an array of schemas`, { value: value });
    return value.map((each, index) => pruneSchema(each, `${path}[${index}]`, found));
  }
  if (SCHEMA_MAP_KEYWORDS.has(key)) return pruneMap(key, value, path, found);
  const kind = VALUE_KEYWORDS.get(key);
  if (!kind) return undefined;
  if (!kind.isRight(value)) throw new SchemaProblem(path, `must be ${kind.expected}`, { value: value });
  if (key === '$schema' && !DIALECT.test(value as string))
    throw new SchemaProblem(path, `must be https://json-schema.org/draft/2020-12/schema`, { value: value });
  // A format that is not known is an annotation.
  return key === 'format' && !Object.hasOwn(format, value as string) ? undefined : value;
}

function pruneMap(key: string, value: Json, path: string, found: PlacedSchema[]): unknown {
  if (!isJsonObject(value)) throw new SchemaProblem(path, `must be an object of schemas`, { value: value });
  const entries = Object.entries(value).map(([name, each]) => {
    if (key === 'patternProperties' && !isPattern(name))
      throw new SchemaProblem(`${path}.${name}`, 'has a name that is no regular expression');
    return [name, pruneSchema(each, `${path}.${name}`, found)];
  });
  return Object.fromEntries(entries);
}

import { dereference, type OutputUnit, type Schema, Validator } from '@cfworker/json-schema';
import type { Json } from './canonical.ts';
import { type PlacedSchema, pruneSchema } from './prune.ts';
import { checkReferences } from './references.ts';
import { SchemaProblem } from './schema-problem.ts';

export { canonicalSchema } from './canonical.ts';
export { SchemaProblem } from './schema-problem.ts';

export interface Violation {
  /** JSON pointer (RFC 6901) within the metadata; '' is the metadata itself. */
  path: string;
  /** Of the schema. */
  keyword: string;
  message: string;
}

/** Stands for the schema's own URI where it gives none: the validator would take the page's. */
const BASE_URI = 'https://isovec.invalid/schema';

/** They say no more than that something below has not been right, and that is said, too. */
const WRAPPERS: ReadonlySet<string> = new Set([
  '$ref',
  'allOf',
  'if',
  'properties',
  'patternProperties',
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'dependentSchemas',
  'items',
  'prefixItems',
  'unevaluatedItems',
]);

/** Holds metadata against a JSON Schema, 2020-12, and needs no `eval` for that. */
export class SchemaValidator {
  readonly #all: Validator;
  readonly #first: Validator;

  /**
   * @param schema as `canonicalSchema` gives it
   * @param path of the schema, for errors
   * @throws SchemaProblem
   */
  constructor(schema: Json, path: string) {
    const found: PlacedSchema[] = [];
    const pruned = pruneSchema(schema, path, found);
    if (typeof pruned === 'object') pruned.$id ??= BASE_URI;
    checkReferences(found, lookupOf(pruned, path));
    this.#all = new Validator(pruned, '2020-12', false);
    this.#first = new Validator(pruned, '2020-12', true);
  }

  /** @param metadata as parsed JSON @returns all of them, none if it is valid */
  violations(metadata: unknown): Violation[] {
    const errors = this.#errors(metadata);
    return errors.flatMap((error, at) => {
      const next = errors[at + 1];
      // `false` as a schema: what stands before it says which property it was that may not be.
      if (error.keyword === 'false' && at > 0 && WRAPPERS.has(errors[at - 1]!.keyword)) return [];
      return isWrapper(error, next) ? [] : [violationOf(error)];
    });
  }

  /** All take a place on the stack each, where the validator hands them on: of a million of them, the first will do. */
  #errors(metadata: unknown): OutputUnit[] {
    try {
      return this.#all.validate(metadata).errors;
    } catch (error) {
      if (!(error instanceof RangeError)) return [impossible(error)];
    }
    try {
      return this.#first.validate(metadata).errors;
    } catch (error) {
      return [impossible(error)];
    }
  }
}

/** What cannot be held against the schema is refused, too. */
function impossible(error: unknown): OutputUnit {
  const location = '#';
  const unit = { keyword: '$schema', keywordLocation: location, instanceLocation: location };
  if (error instanceof URIError) return { ...unit, error: 'Has a key with half of a surrogate pair.' };
  if (error instanceof RangeError) return { ...unit, error: 'Nests too deep to be held against the schema.' };
  throw error;
}

function lookupOf(schema: Schema | boolean, path: string): Record<string, Schema | boolean> {
  try {
    return dereference(schema);
  } catch (error) {
    throw new SchemaProblem(
      path,
      `has an $id, $anchor or $ref that is not right: ${error}`,
      undefined,
      error,
    );
  }
}

function isWrapper({ keyword }: OutputUnit, next: OutputUnit | undefined): boolean {
  return WRAPPERS.has(keyword) && next !== undefined && next.keyword !== 'false';
}

function violationOf({ instanceLocation, keyword, error }: OutputUnit): Violation {
  return { path: decodeURIComponent(instanceLocation.slice(1)), keyword, message: error };
}

/** What a schema refers to, checked before anything is validated by it. */
import type { Schema } from '@cfworker/json-schema';
import type { PlacedSchema } from './prune.ts';
import { SchemaProblem } from './schema-problem.ts';

type Lookup = Record<string, Schema | boolean>;

/** How many schemas one value may be held against, and how deep in one another: what refers to two others, each of which
 *  refers to two others, and so on, would take for ever. */
const STEPS_MAX = 10_000;
const CHAIN_MAX = 64;

interface Cost {
  steps: number;
  chain: number;
}

/**
 * @param lookup every schema in it, by its URI
 * @throws SchemaProblem for what refers to nothing, to itself, or to too much
 */
export function checkReferences(found: readonly PlacedSchema[], lookup: Lookup): void {
  for (const { schema, path } of found) {
    if (schema.$ref === undefined || target(schema, lookup) !== undefined) continue;
    throw new SchemaProblem(
      `${path}.$ref`,
      `refers to ${JSON.stringify(schema.$ref)}, which is not in the schema`,
    );
  }
  const costs = new Map<Schema, Cost>();
  const paths = new Map(found.map(({ schema, path }) => [schema, path]));
  for (const { schema } of found) costOf(schema, lookup, costs, { paths, above: new Set() });
}

interface Walk {
  paths: ReadonlyMap<Schema, string>;
  above: Set<Schema>;
}

/** Of holding one value against a schema, besides what is within the value. */
function costOf(schema: Schema | boolean, lookup: Lookup, costs: Map<Schema, Cost>, walk: Walk): Cost {
  if (typeof schema === 'boolean') return { steps: 1, chain: 1 };
  const known = costs.get(schema);
  if (known) return known;
  const path = walk.paths.get(schema) ?? 'the schema';
  if (walk.above.has(schema))
    throw new SchemaProblem(path, 'refers to itself, for the same value: that would never end');
  if (walk.above.size > CHAIN_MAX)
    throw new SchemaProblem(path, `is the last of more than ${CHAIN_MAX} schemas that refer to one another`);
  walk.above.add(schema);
  const cost = { steps: 1, chain: 1 };
  for (const applied of appliedBy(schema, lookup)) {
    const { steps, chain } = costOf(applied, lookup, costs, walk);
    cost.steps += steps;
    cost.chain = Math.max(cost.chain, chain + 1);
  }
  walk.above.delete(schema);
  if (cost.steps > STEPS_MAX)
    throw new SchemaProblem(
      path,
      `holds one value against more than ${STEPS_MAX} schemas, by what it refers to`,
    );
  if (cost.chain > CHAIN_MAX)
    throw new SchemaProblem(path, `is the first of more than ${CHAIN_MAX} schemas that refer to one another`);
  costs.set(schema, cost);
  return cost;
}

/** Those that the same value is held against. */
function appliedBy(schema: Schema, lookup: Lookup): (Schema | boolean)[] {
  const {
    allOf,
    anyOf,
    oneOf,
    not,
    if: condition,
    then: consequence,
    else: alternative,
    dependentSchemas,
  } = schema;
  const applied = [
    ...[allOf, anyOf, oneOf].flatMap((list: (Schema | boolean)[] | undefined) => list ?? []),
    ...Object.values((dependentSchemas ?? {}) as Record<string, Schema | boolean>),
    not,
    condition,
    consequence,
    alternative,
    target(schema, lookup),
  ];
  return applied.filter((each) => each !== undefined);
}

function target({ __absolute_ref__: uri }: Schema, lookup: Lookup): Schema | boolean | undefined {
  return uri === undefined ? undefined : lookup[uri];
}

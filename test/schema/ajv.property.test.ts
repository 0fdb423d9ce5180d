/** Against a validator that is not ours, nor the one that is used. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalSchema } from '../../src/schema/canonical.ts';
import { SchemaValidator } from '../../src/schema/schema-validator.ts';

/** Few and small, so that schemas and metadata meet. Ajv passes over `__proto__`. */
const key = fc.constantFrom('a', 'b', 'ab', 'constructor', 'a/b~c d#%');
const pattern = fc.constantFrom('^a', 'b$', '.', '^\\p{L}+$');
const text = fc.constantFrom('', 'a', 'ab', 'ü', '\u{1f600}', 'aaaa');
const number = fc.constantFrom(-1, 0, 1, 1.5, 2, 3, 4, 1e300);
const count = fc.nat(3);
const type = fc.constantFrom('array', 'boolean', 'integer', 'null', 'number', 'object', 'string');

function dictionary<T>(keys: fc.Arbitrary<string>, values: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  return fc.array(fc.tuple(keys, values), { maxLength: 3 }).map((entries) => Object.fromEntries(entries));
}

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    dictionary(key, tie('value')),
  ),
}));
const metadata = dictionary(key, value);

type Keyword = Record<string, unknown>;

const { schema } = fc.letrec<{ schema: object | boolean; keyword: Keyword }>((tie) => {
  const schemas = fc.array(tie('schema'), { minLength: 1, maxLength: 2 });
  const plain: Record<string, fc.Arbitrary<unknown>> = {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
    const: value,
    enum: fc.array(value, { minLength: 1, maxLength: 3 }),
    minimum: number,
    exclusiveMaximum: number,
    multipleOf: fc.constantFrom(1, 2, 0.5),
    minLength: count,
    maxLength: count,
    pattern,
    required: fc.uniqueArray(key, { maxLength: 2 }),
    dependentRequired: dictionary(key, fc.uniqueArray(key, { maxLength: 2 })),
    minItems: count,
    maxProperties: count,
    uniqueItems: fc.boolean(),
    'x-unknown': value,
    $ref: fc.constantFrom('#/$defs/one', '#/$defs/two', '#two'),
  };
  const nested: Record<string, fc.Arbitrary<unknown>> = {
    properties: dictionary(key, tie('schema')),
    patternProperties: dictionary(pattern, tie('schema')),
    additionalProperties: tie('schema'),
    unevaluatedProperties: fc.boolean(),
    propertyNames: tie('schema'),
    dependentSchemas: dictionary(key, tie('schema')),
    prefixItems: schemas,
    items: tie('schema'),
    contains: tie('schema'),
    allOf: schemas,
    anyOf: schemas,
    oneOf: schemas,
    not: tie('schema'),
    if: tie('schema'),
    // biome-ignore lint/suspicious/noThenProperty: a keyword
    then: tie('schema'),
    else: tie('schema'),
  };
  const oneOf = (keywords: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Keyword> =>
    fc.oneof(...Object.entries(keywords).map(([name, operand]) => operand.map((each) => ({ [name]: each }))));
  return {
    keyword: fc.oneof({ maxDepth: 4 }, oneOf(plain), oneOf(nested)),
    schema: fc.oneof(
      { weight: 1, arbitrary: fc.boolean() },
      {
        weight: 8,
        arbitrary: fc
          .array(tie('keyword'), { minLength: 1, maxLength: 3 })
          .map((keywords) => Object.assign({}, ...keywords)),
      },
    ),
  };
});

it('says what ajv says, of any metadata and any schema', () => {
  const roots = fc.record({
    $defs: fc.record({ one: schema, two: schema.map((each) => ({ $anchor: 'two', allOf: [each] })) }),
    allOf: fc.tuple(schema, schema),
  });
  let compared = 0;
  let valid = 0;
  fc.assert(
    fc.property(roots, fc.array(metadata, { minLength: 1, maxLength: 6 }), (root, documents) => {
      let ours: SchemaValidator;
      try {
        ours = new SchemaValidator(canonicalSchema(root, 'schema'), 'schema');
      } catch {
        // It refers to itself.
        return;
      }
      const theirs = new Ajv2020({ strict: false, ownProperties: true }).compile(root);
      for (const document of documents) {
        const violations = ours.violations(document);
        expect(
          violations.length === 0,
          JSON.stringify({ root, document, violations, their: theirs.errors }),
        ).toBe(theirs(document));
        compared++;
        if (violations.length === 0) valid++;
      }
    }),
    { numRuns: 250, seed: 20_261_121 },
  );
  expect(compared).toBeGreaterThan(300);
  expect(valid).toBeGreaterThan(60);
  expect(compared - valid).toBeGreaterThan(60);
});

import { describe, expect, it } from 'vitest';
import { canonicalSchema } from '../../src/schema/canonical.ts';
import { SchemaValidator } from '../../src/schema/schema-validator.ts';

function validatorOf(schema: unknown): SchemaValidator {
  return new SchemaValidator(canonicalSchema(schema, 'schema'), 'schema');
}

/** `depth` arrays, one within the other. */
function nest(depth: number): unknown {
  let nested: unknown = [];
  for (let level = 1; level < depth; level++) nested = [nested];
  return nested;
}

const properties = (schema: unknown) => ({ properties: { a: schema } });

describe('a schema', () => {
  const bad: [string, unknown, string][] = [
    ['no object', true, 'schema'],
    ['an array', [], 'schema'],
    ['a type that there is not', properties({ type: 'text' }), 'schema.properties.a.type'],
    ['a bound that is no number', properties({ minimum: '1' }), 'schema.properties.a.minimum'],
    ['a negative count', { maxProperties: -1 }, 'schema.maxProperties'],
    ['a step of zero', properties({ multipleOf: 0 }), 'schema.properties.a.multipleOf'],
    ['required fields that are no strings', { required: [1] }, 'schema.required'],
    ['a pattern that is none', properties({ pattern: '(' }), 'schema.properties.a.pattern'],
    ['a property pattern that is none', { patternProperties: { '[': true } }, 'schema.patternProperties.['],
    ['properties that are no schemas', properties(7), 'schema.properties.a'],
    ['alternatives that are no list', { anyOf: {} }, 'schema.anyOf'],
    ['no alternatives', { oneOf: [] }, 'schema.oneOf'],
    ['a place in a list', { allOf: [true, { enum: 3 }] }, 'schema.allOf[1].enum'],
    ['another dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, 'schema.$schema'],
    ['items of an older draft', properties({ items: [true] }), 'schema.properties.a.items'],
    ['dependencies of an older draft', { dependencies: { a: ['b'] } }, 'schema.dependencies'],
    ['a dynamic reference', { $dynamicRef: '#a' }, 'schema.$dynamicRef'],
    ['a reference to nothing', properties({ $ref: '#/$defs/b' }), 'schema.properties.a.$ref'],
    ['a reference to the network', { $ref: 'https://example.com/schema' }, 'schema.$ref'],
    ['a reference to a prototype', { $ref: '#/__proto__' }, 'schema.$ref'],
    ['a reference to itself', { $ref: '#' }, 'schema'],
    ['one name twice', { $defs: { a: { $id: 'x' }, b: { $id: 'x', type: 'null' } } }, 'schema'],
    ['NaN', { const: Number.NaN }, 'schema.const'],
    ['a function', properties({ const: () => 1 }), 'schema.properties.a.const'],
    ['a Date', { const: new Date(0) }, 'schema.const'],
    ['more text than a manifest should hold', { description: 'x'.repeat(262_145) }, 'schema'],
  ];
  it.each(bad)('that has %s is refused, naming the place', (_, schema, path) => {
    expect(() => validatorOf(schema)).toThrow(expect.objectContaining({ path }));
  });

  it('that nests too deep, or refers to itself in a circle, or to more and more, is refused at once', () => {
    expect(() => validatorOf({ const: nest(100_000) })).toThrow(/levels deep/);
    let deep: object = {};
    for (let level = 0; level < 5000; level++) deep = { not: deep };
    expect(() => validatorOf(deep)).toThrow(/levels deep/);
    const circle = { $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } };
    expect(() => validatorOf(circle)).toThrow(/never end/);
    const doubling = Object.fromEntries(
      Array.from({ length: 25 }, (_, at) => {
        const next = { $ref: `#/$defs/d${at + 1}` };
        return [`d${at}`, { allOf: [next, next] }];
      }),
    );
    expect(() => validatorOf({ $defs: { ...doubling, d25: true }, $ref: '#/$defs/d0' })).toThrow(
      /10000 schemas/,
    );
    const chain = Object.fromEntries(
      Array.from({ length: 5000 }, (_, at) => [`c${at}`, { $ref: `#/$defs/c${at + 1}` }]),
    );
    expect(() => validatorOf({ $defs: { ...chain, c5000: true } })).toThrow(/64 schemas/);
  });

  it('is the same in whatever order its keys are', () => {
    const one = canonicalSchema({ type: 'object', properties: { b: {}, a: { x: undefined } } }, 'schema');
    const other = canonicalSchema({ properties: { a: {}, b: {} }, type: 'object' }, 'schema');
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
  });

  it('may refer to itself deeper in the metadata, by pointer, anchor and id', () => {
    const tree = {
      $id: 'https://example.com/tree',
      $defs: { leaf: { $anchor: 'leaf', type: 'integer' }, other: { $id: 'other', type: 'null' } },
      properties: {
        left: { $ref: '#' },
        leaf: { $ref: '#leaf' },
        none: { $ref: 'https://example.com/other' },
      },
      additionalProperties: false,
    };
    const validator = validatorOf(tree);
    expect(validator.violations({ left: { left: { leaf: 3 } }, none: null })).toEqual([]);
    expect(validator.violations({ left: { left: { leaf: 'x' } } })).toEqual([
      { path: '/left/left/leaf', keyword: 'type', message: expect.stringContaining('integer') },
    ]);
  });
});

describe('metadata', () => {
  it('is told everything that is wrong with it, each thing once and with its place', () => {
    const validator = validatorOf({
      properties: {
        title: { type: 'string', minLength: 1 },
        tags: { items: { type: 'string' } },
        'a/b~ #%ü': { const: 1 },
      },
      required: ['title', 'year'],
      additionalProperties: false,
    });
    const violations = validator.violations({ title: '', tags: ['x', 1, 2], 'a/b~ #%ü': 2, more: true });
    expect(violations.map(({ path, keyword }) => `${keyword} ${path}`).sort()).toEqual([
      'additionalProperties ',
      'const /a~1b~0 #%ü',
      'minLength /title',
      'required ',
      'type /tags/1',
      'type /tags/2',
    ]);
    expect(violations.every(({ message }) => message.length > 0)).toBe(true);
  });

  it('has no keys but its own, whatever they are called', () => {
    const schema = JSON.parse(
      '{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"number"}},"required":["toString"]}',
    );
    const validator = validatorOf(schema);
    expect(validator.violations({}).map(({ keyword }) => keyword)).toEqual(['required']);
    expect(validator.violations(JSON.parse('{"toString":1,"__proto__":"a"}'))).toEqual([]);
    expect(validator.violations(JSON.parse('{"toString":1,"__proto__":1}'))).toMatchObject([
      { path: '/__proto__', keyword: 'type' },
    ]);
    expect(validatorOf(properties({ format: 'hasOwnProperty' })).violations({ a: 'x' })).toEqual([]);
    expect(Object.keys({})).toEqual([]);
  });

  it('must have the format that the schema says, where that is known', () => {
    const validator = validatorOf(properties({ format: 'date-time' }));
    expect(validator.violations({ a: new Date(0).toISOString() })).toEqual([]);
    expect(validator.violations({ a: 'yesterday' })).toMatchObject([{ path: '/a', keyword: 'format' }]);
    expect(validatorOf(properties({ format: 'isbn' })).violations({ a: 'x' })).toEqual([]);
  });

  it('with very many violations, or awkward keys, is refused and breaks nothing', () => {
    const many = validatorOf(properties({ items: { type: 'string' } }));
    const a = Array.from({ length: 300_000 }, (_, index) => index);
    expect(many.violations({ a }).length).toBeGreaterThan(0);
    const awkward = validatorOf({ additionalProperties: { type: 'string' } });
    expect(awkward.violations({ '\ud800': 'x' })).toHaveLength(1);
  });
});

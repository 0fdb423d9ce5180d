import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '../../src/base/utf8.ts';

describe('encodeUtf8', () => {
  it('gives what TextEncoder gives, and leaves alone what it gave before', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 800, size: 'max' }),
      fc.string({ unit: 'binary', maxLength: 800, size: 'max' }),
      fc.string({ unit: fc.constantFrom('a', 'é', '\ud800', '\udc00'), maxLength: 50 }),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60, size: 'max' }), (texts) => {
        const encoded = texts.map(encodeUtf8);
        const expected = texts.map((each) => new TextEncoder().encode(each));
        expect(encoded).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

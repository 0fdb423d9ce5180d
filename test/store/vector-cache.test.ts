import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { VectorCache } from '../../src/store/vector-cache.ts';

const vectorOf = (row: number) => new Float32Array([row, row + 0.5, -row]);

it('gives back what was kept of a row, or nothing', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 12_000 }),
      fc.array(fc.nat({ max: 2000 }), { maxLength: 300 }),
      (boundBytes, rows) => {
        const cache = new VectorCache(3, boundBytes);
        for (const row of rows) {
          const held = cache.find(row);
          if (held) expect(held).toEqual(vectorOf(row));
          cache.keep(row, vectorOf(row));
          expect(cache.find(row)).toEqual(vectorOf(row));
        }
      },
    ),
  );
});

it('throws nothing out while all rows have room, and takes memory only for those that came', () => {
  const cache = new VectorCache(3, 1024 * 16);
  for (let row = 0; row < 200; row += 3) cache.keep(row, vectorOf(row));
  expect(cache.memoryBytes).toBe(256 * 16);
  for (let row = 201; row < 1024; row += 3) cache.keep(row, vectorOf(row));
  for (let row = 0; row < 1024; row++) expect(cache.find(row) !== undefined).toBe(row % 3 === 0);
  expect(cache.memoryBytes).toBe(1024 * 16);
});

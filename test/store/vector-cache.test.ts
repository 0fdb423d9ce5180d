import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { VectorCache } from '../../src/store/vector-cache.ts';
import { makeIndex } from '../search/model.ts';

const vectorOf = (row: number) => new Float32Array([row, row + 0.5, -row]);
const cacheOf = (rowsMax: number) =>
  new VectorCache(makeIndex({ type: 'flat', dimensions: 3, metric: 'euclidean' }), rowsMax);

it('holds what has been kept last, and ranks it by its vectors', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat({ max: 100 }), { maxLength: 300 }),
      fc.uniqueArray(fc.nat({ max: 100 })),
      (rowsMax, rows, wanted) => {
        const cache = cacheOf(rowsMax);
        const held: number[] = [];
        for (const row of rows) {
          cache.keep(row, vectorOf(row));
          if (held.includes(row)) continue;
          held.push(row);
          if (held.length > rowsMax) held.shift();
        }
        for (let row = 0; row <= 100; row++) expect(cache.has(row)).toBe(held.includes(row));
        const nearest = wanted.filter((row) => held.includes(row)).sort((a, b) => a - b);
        expect(Array.from(cache.rank(vectorOf(0), wanted, 20).rows)).toEqual(nearest.slice(0, 20));
      },
    ),
    { numRuns: 50 },
  );
});

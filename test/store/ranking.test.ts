import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ranking } from '../../src/store/ranking.ts';
import { makeIndex } from '../search/model.ts';

it('finds the nearest of many that it cannot hold at once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 3000, size: 'max' }),
      (topK, places) => {
        const index = makeIndex({ type: 'flat', dimensions: 1, metric: 'euclidean' });
        const ranking = new Ranking(index, [new Float32Array([0])], topK);
        for (const [row, place] of places.entries()) ranking.offer(row, new Float32Array([place]));
        const wanted = places
          .map((place, row) => ({ row, distance: Math.abs(place) }))
          .sort((a, b) => a.distance - b.distance || a.row - b.row)
          .slice(0, topK);
        const found = ranking.neighbours()[0]!;
        expect(Array.from(found.rows)).toEqual(wanted.map(({ row }) => row));
        expect(Array.from(found.distances)).toEqual(wanted.map(({ distance }) => distance));
        expect(index.count).toBeLessThanOrEqual(2 * topK + 256);
        ranking.clear();
        expect(index.count).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
});

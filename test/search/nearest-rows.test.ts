import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { NearestRows } from '../../src/search/nearest-rows.ts';

it('keeps what sorting all and cutting off would keep, whatever is offered in whatever order', () => {
  const offered = fc.uniqueArray(
    fc.record({
      row: fc.nat({ max: 500 }),
      distance: fc.oneof(
        fc.nat({ max: 3 }),
        fc.float({ noNaN: true }),
        fc.constant(Number.POSITIVE_INFINITY),
      ),
    }),
    { selector: ({ row }) => row },
  );
  fc.assert(
    fc.property(offered, fc.integer({ min: 1, max: 30 }), (all, topK) => {
      const nearest = new NearestRows(topK);
      for (const { row, distance } of all) nearest.offer(row, distance);
      const sorted = all.toSorted((a, b) => a.distance - b.distance || a.row - b.row).slice(0, topK);
      const { rows, distances } = nearest.neighbours();
      expect([...rows]).toEqual(sorted.map(({ row }) => row));
      expect([...distances]).toEqual(sorted.map(({ distance }) => distance));
    }),
  );
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FilteredQuery, planFiltered } from '../../src/store/filter-plan.ts';

const plan = (matched: number, count: number, others: Partial<FilteredQuery> = {}) =>
  planFiltered({ topK: 10, ef: 64, exact: false, matched, count, ...others });

describe('the planner of filtered queries', () => {
  it('compares everything that matches where that is little, and walks where it is much', () => {
    const strategies = (count: number) =>
      [0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.9].map((share) => plan(count * share, count).strategy);
    expect(strategies(1000)).toEqual(new Array(7).fill('exact'));
    expect(strategies(100_000)).toEqual([...new Array(4).fill('exact'), ...new Array(3).fill('post-filter')]);
    expect(strategies(10_000_000)).toEqual([
      'exact',
      'exact',
      ...new Array(2).fill('filtered-walk'),
      ...new Array(3).fill('post-filter'),
    ]);
  });

  it('walks over what matches where that lies far and is much, and compares it where that is cheaper', () => {
    expect(plan(20_000, 100_000).farWalk).toBeUndefined();
    for (const matched of [50_000, 90_000])
      expect(plan(matched, 100_000).farWalk?.efAllowed).toBeGreaterThan(plan(matched, 100_000).walk.ef);
  });

  it('keeps to the exact answer when it is asked for, or nothing matches', () => {
    expect(plan(90_000, 100_000, { exact: true }).strategy).toBe('exact');
    expect(plan(0, 100_000).strategy).toBe('exact');
    expect(plan(0, 0).strategy).toBe('exact');
  });

  it('makes walks wide enough for what is asked for, and wants as much as there is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 65_536 }),
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (topK, ef, count, share) => {
          const matched = Math.floor(count * share);
          const { strategy, walk } = planFiltered({ topK, ef, exact: false, matched, count });
          if (strategy === 'post-filter') {
            expect(walk.ef).toBeGreaterThanOrEqual(Math.max(ef, topK));
            expect(walk.nearMin).toBeGreaterThanOrEqual(Math.min(topK, matched));
            expect(walk.nearMin).toBeLessThanOrEqual(matched);
          }
          if (strategy === 'filtered-walk') expect(walk.efAllowed).toBeGreaterThanOrEqual(Math.max(ef, topK));
          for (const number of Object.values(walk)) expect(Number.isSafeInteger(number)).toBe(true);
        },
      ),
    );
  });
});

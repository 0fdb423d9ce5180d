import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortInTurns } from '../../src/text/sort-in-turns.ts';

it('sorts as an array does, with turns in between', async () => {
  const strings = fc.array(fc.string({ unit: 'binary', maxLength: 6 }), { maxLength: 30, size: 'max' });
  await fc.assert(
    fc.asyncProperty(strings, fc.integer({ min: 1, max: 1000 }), async (few, times) => {
      const many = few.flatMap((each) =>
        Array.from({ length: times }, (_, at) => `${each}${(at * 7919) % times}`),
      );
      let turns = 0;
      const rest = async () => {
        turns++;
      };
      expect(await sortInTurns(many.values(), rest)).toEqual([...many].sort());
      expect(turns).toBeGreaterThanOrEqual(Math.ceil(many.length / 4096));
    }),
    { numRuns: 60, seed: 20_261_121 },
  );
});

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Hit } from '../../../src/base/api.ts';
import { diversify } from '../../../src/store/queries/diversify.ts';
import { scoreOf } from '../../../src/store/query.ts';
import type { CheckedQuery } from '../../../src/store/query-plan.ts';

type Metric = 'cosine' | 'dot' | 'euclidean';

const sum = (values: number[]) => values.reduce((all, each) => all + each, 0);
const dot = (a: number[], b: number[]) => sum(a.map((each, at) => each * b[at]!));
const likeness: Record<Metric, (a: number[], b: number[]) => number> = {
  cosine: (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  dot,
  euclidean: (a, b) => 1 / (1 + Math.sqrt(sum(a.map((each, at) => (each - b[at]!) ** 2)))),
};

/** One after another, each compared with all that are chosen. */
function plain(
  hits: Hit[],
  relevance: number[],
  alike: (a: number[], b: number[]) => number,
  topK: number,
  diversity: number,
) {
  const chosen: number[] = [];
  while (chosen.length < Math.min(topK, hits.length)) {
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (const [at, { vector }] of hits.entries()) {
      if (chosen.includes(at)) continue;
      const most_alike = Math.max(...chosen.map((other) => alike([...hits[other]!.vector!], [...vector!])));
      const value =
        chosen.length === 0 ? relevance[at]! : (1 - diversity) * relevance[at]! - diversity * most_alike;
      if (best >= 0 && value <= most) continue;
      best = at;
      most = value;
    }
    chosen.push(best);
  }
  return chosen.map((at) => hits[at]!.id);
}

/** Few values, so that many are equally alike. */
const vector = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 3, maxLength: 3 });

it('chooses what comparing everything with everything chooses, whatever is equal', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Metric>('cosine', 'dot', 'euclidean'),
      fc.array(fc.tuple(vector, fc.integer({ min: 0, max: 8 })), { maxLength: 60, size: 'max' }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(0.1, 0.5, 0.9, 1),
      fc.boolean(),
      async (metric, given, topK, diversity, isOfWords) => {
        const hits = given
          .map(([numbers, distance], at): Hit => {
            const vector = Float32Array.from(numbers.every((each) => each === 0) ? [1, 0, 0] : numbers);
            const score = isOfWords ? distance : scoreOf(distance / 8, metric);
            return {
              id: `${at}`,
              score,
              metadata: {},
              vector,
              ...(!isOfWords && { distance: distance / 8 }),
            };
          })
          .sort((a, b) => b.score - a.score);
        const [best = 0, worst = 0] = [hits[0]?.score, hits.at(-1)?.score];
        const relevance = hits.map(({ score }) =>
          isOfWords ? (score - worst) / (best - worst || 1) : score,
        );
        const include = { vector: true, metadata: false, text: false, highlights: false };
        const query = { topK, include, vector: new Float32Array(3) } as CheckedQuery;
        const selecting = { find: async () => hits, metric, pause: async () => {} };
        const chosen = await diversify(query, diversity, selecting);
        const alike = likeness[isOfWords && hits.length > 0 ? 'cosine' : metric];
        expect(chosen.map(({ id }) => id)).toEqual(plain(hits, relevance, alike, topK, diversity));
      },
    ),
    { numRuns: 300, seed: 20_261_121 },
  );
});

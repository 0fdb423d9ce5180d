/**
 * Maximal marginal relevance: one hit after another, each the best by its relevance less its likeness to those chosen
 * before. J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
 * summaries", SIGIR 1998.
 */
import type { Hit } from '../../base/api.ts';
import { scoreOf } from '../query.ts';
import type { CheckedQuery } from '../query-plan.ts';
import { Slices } from '../slices.ts';
import { asIncluded, type Selecting } from './select.ts';

/** Candidates for each hit, and at least so many: of fewer there is little to choose, of more the last are no match. */
const CANDIDATES_PER_HIT = 4;
const CANDIDATES_MIN = 40;

type Likeness = (a: Float32Array, b: Float32Array) => number;

export async function diversify(
  query: CheckedQuery,
  diversity: number,
  { find, metric, pause }: Selecting,
): Promise<Hit[]> {
  const count = Math.max(CANDIDATES_MIN, query.topK * CANDIDATES_PER_HIT);
  const candidates = await find({ ...query, topK: count, include: { ...query.include, vector: true } });
  const { relevance, likeness } = scalesOf(candidates, metric);
  const chosen = await choose(candidates, query.topK, {
    diversity,
    relevance,
    likeness,
    slices: new Slices(pause),
  });
  return asIncluded(chosen, query);
}

interface Scales {
  /** Of each candidate. */
  relevance: number[];
  likeness: Likeness;
}

/** Both on one scale: scores are what the metric says of two vectors, unless words have a part in them. */
function scalesOf(candidates: readonly Hit[], metric: Selecting['metric']): Scales {
  const scores = candidates.map(({ score }) => score);
  const ofVectors = { cosine, dot, euclidean }[metric];
  const isOfVectors = candidates.every(({ score, distance }) => isScoreOf(score, distance, metric));
  if (isOfVectors) return { relevance: scores, likeness: ofVectors };
  const [best = 0, worst = 0] = [scores[0], scores.at(-1)];
  return { relevance: scores.map((score) => (score - worst) / (best - worst || 1)), likeness: cosine };
}

function isScoreOf(score: number, distance: number | undefined, metric: Selecting['metric']): boolean {
  return distance !== undefined && score === scoreOf(distance, metric);
}

interface Choice extends Scales {
  diversity: number;
  slices: Slices;
}

async function choose(
  candidates: readonly Hit[],
  count: number,
  { diversity, relevance, likeness, slices }: Choice,
): Promise<Hit[]> {
  const chosen: Hit[] = [];
  const left = new Set(candidates.keys());
  /** Of each candidate, to the most alike of the chosen ones. */
  const alike = new Float64Array(candidates.length).fill(Number.NEGATIVE_INFINITY);
  while (chosen.length < count && left.size > 0) {
    let best = -1;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (const at of left) {
      const penalty = chosen.length === 0 ? 0 : diversity * alike[at]!;
      const value = (chosen.length === 0 ? 1 : 1 - diversity) * relevance[at]! - penalty;
      if (best >= 0 && value <= bestValue) continue;
      best = at;
      bestValue = value;
    }
    left.delete(best);
    const hit = candidates[best]!;
    chosen.push(hit);
    for (const at of left) {
      if (slices.isOver) await slices.rest();
      alike[at] = Math.max(alike[at]!, likeness(hit.vector!, candidates[at]!.vector!));
    }
  }
  return chosen;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function euclidean(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at]! - b[at]!) ** 2;
  return 1 / (1 + Math.sqrt(sum));
}

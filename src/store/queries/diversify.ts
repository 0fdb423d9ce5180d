/**
 * Maximal marginal relevance: one hit after another, each the best by its relevance less its likeness to those chosen
 * before. J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
 * summaries", SIGIR 1998.
 */
import type { Hit } from '../../base/api.ts';
import { scoreOf } from '../query.ts';
import type { CheckedQuery } from '../query-plan.ts';
import { Slices } from '../slices.ts';
import { asIncluded, type Selecting } from './selecting.ts';

/** Candidates for each hit, and at least so many: of fewer there is little to choose, of more the last are no match. */
const CANDIDATES_PER_HIT = 4;
const CANDIDATES_MIN = 40;

/** Likenesses computed between looks at the clock: 0.1 ms at 768 dimensions. */
const LIKENESSES_PER_LOOK = 64;

export async function diversify(
  query: CheckedQuery,
  diversity: number,
  { find, metric, pause }: Selecting,
): Promise<Hit[]> {
  const count = Math.max(CANDIDATES_MIN, query.topK * CANDIDATES_PER_HIT);
  const candidates = await find({ ...query, topK: count, include: { ...query.include, vector: true } });
  const slices = new Slices(pause, query.signal);
  const chosen = await choose(candidates, query.topK, {
    diversity,
    scales: scalesOf(candidates, metric),
    slices,
  });
  return asIncluded(chosen, query);
}

interface Scales {
  /** Of each candidate. */
  relevance: number[];
  /** Of two candidates. */
  likeness: (a: number, b: number) => number;
}

/** Both on one scale: scores are what the metric says of two vectors, unless words have a part in them. */
function scalesOf(candidates: readonly Hit[], metric: Selecting['metric']): Scales {
  const scores = candidates.map(({ score }) => score);
  const vectors = candidates.map(({ vector }) => vector!);
  const isOfVectors = candidates.every(({ score, distance }) => isScoreOf(score, distance, metric));
  if (isOfVectors) return { relevance: scores, likeness: likenessOf(vectors, metric) };
  const [best = 0, worst = 0] = [scores[0], scores.at(-1)];
  const relevance = scores.map((score) => (score - worst) / (best - worst || 1));
  return { relevance, likeness: likenessOf(vectors, 'cosine') };
}

function isScoreOf(score: number, distance: number | undefined, metric: Selecting['metric']): boolean {
  return distance !== undefined && score === scoreOf(distance, metric);
}

interface Choice {
  diversity: number;
  scales: Scales;
  slices: Slices;
}

/**
 * The more are chosen, the less is any other worth: what it was worth when fewer were is the most that it can be. So the one
 * that is worth most by then is brought up to date, and chosen if it still is: the others need not be compared with
 * what was chosen meanwhile. (M. Minoux, Accelerated greedy algorithms for maximizing submodular set functions, 1978.)
 */
async function choose(
  candidates: readonly Hit[],
  count: number,
  { diversity, scales: { relevance, likeness }, slices }: Choice,
): Promise<Hit[]> {
  if (candidates.length === 0) return [];
  const first = relevance.indexOf(relevance.reduce((most, each) => Math.max(most, each)));
  const chosen = [first];
  /** Of each candidate, to the most alike of the first so many that were chosen. */
  const alike = new Float64Array(candidates.length).fill(Number.NEGATIVE_INFINITY);
  const compared = new Uint32Array(candidates.length);
  const worth = new Float64Array(candidates.length);
  let computed = 0;
  const rate = async (at: number): Promise<void> => {
    for (let other = compared[at]!; other < chosen.length; other++) {
      alike[at] = Math.max(alike[at]!, likeness(chosen[other]!, at));
      if (++computed % LIKENESSES_PER_LOOK === 0 && slices.isOver) await slices.rest();
    }
    compared[at] = chosen.length;
    worth[at] = (1 - diversity) * relevance[at]! - diversity * alike[at]!;
  };
  const others = [...candidates.keys()].filter((at) => at !== first);
  for (const at of others) await rate(at);
  const left = new BestFirst(others, worth);
  while (chosen.length < count && left.size > 0) {
    const best = left.top;
    if (compared[best] === chosen.length) {
      left.removeTop();
      chosen.push(best);
    } else {
      await rate(best);
      left.topIsWorse();
    }
  }
  return chosen.map((at) => candidates[at]!);
}

/** Numbers by what they are worth, the best on top, and of equals the lowest: a heap. */
class BestFirst {
  readonly #numbers: Uint32Array;
  readonly #worth: Float64Array;
  size: number;

  /** @param worth by number */
  constructor(numbers: readonly number[], worth: Float64Array) {
    this.#numbers = Uint32Array.from(numbers);
    this.#worth = worth;
    this.size = numbers.length;
    for (let at = (this.size >>> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  get top(): number {
    return this.#numbers[0]!;
  }

  removeTop(): void {
    this.size--;
    this.#numbers[0] = this.#numbers[this.size]!;
    this.#sink(0);
  }

  /** It is worth less than it was. */
  topIsWorse(): void {
    this.#sink(0);
  }

  #sink(start: number): void {
    const numbers = this.#numbers;
    const number = numbers[start]!;
    let at = start;
    for (let child = 2 * at + 1; child < this.size; child = 2 * at + 1) {
      if (child + 1 < this.size && this.#isBetter(numbers[child + 1]!, numbers[child]!)) child++;
      if (!this.#isBetter(numbers[child]!, number)) break;
      numbers[at] = numbers[child]!;
      at = child;
    }
    numbers[at] = number;
  }

  #isBetter(a: number, b: number): boolean {
    const [worthA, worthB] = [this.#worth[a]!, this.#worth[b]!];
    return worthA > worthB || (worthA === worthB && a < b);
  }
}

function likenessOf(vectors: readonly Float32Array[], metric: Selecting['metric']): Scales['likeness'] {
  if (metric === 'dot') return (a, b) => dot(vectors[a]!, vectors[b]!);
  if (metric === 'euclidean') return (a, b) => 1 / (1 + distance(vectors[a]!, vectors[b]!));
  const squares = vectors.map((vector) => dot(vector, vector));
  return (a, b) => dot(vectors[a]!, vectors[b]!) / Math.sqrt(squares[a]! * squares[b]!);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at]! - b[at]!) ** 2;
  return Math.sqrt(sum);
}

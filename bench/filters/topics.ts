/** Topics: what filters of real use go by, as where something lies has to do with what it is about. */
import type { Filter } from '../../dist/index.node.js';
import type { Dataset } from '../datasets/dataset.ts';
import { random } from '../datasets/random.ts';
import { rowOf } from '../datasets/rows.ts';

const TOPICS = 50;
const TRAINED_ROWS = 10_000;
const ROUNDS = 8;
const SEED = 7;
/** Filters of one share, each with queries of its own. */
const FILTERS = 5;

export interface Topics {
  /** Of each row. */
  ofRows: Uint8Array;
  rowCounts: Uint32Array;
  centres: Float32Array[];
}

export interface FilteredQueries {
  filter: Filter;
  queries: Float32Array[];
}

/** By k-means over a part of the rows. */
export function topicsOf({ base, count, dimensions }: Dataset): Topics {
  const share = random(SEED);
  let centres = Array.from({ length: TOPICS }, () => rowOf(base, dimensions, Math.floor(share() * count)));
  const trained = Math.min(count, TRAINED_ROWS);
  for (let round = 0; round < ROUNDS; round++) {
    const sums = centres.map(() => new Float32Array(dimensions));
    for (let at = 0; at < trained; at++) {
      const vector = rowOf(base, dimensions, Math.floor((at * count) / trained));
      const sum = sums[nearestOf(centres, vector)]!;
      for (const [i, component] of vector.entries()) sum[i]! += component;
    }
    centres = sums.map((sum) => {
      const length = Math.sqrt(dot(sum, sum)) || 1;
      return sum.map((component) => component / length);
    });
  }
  const ofRows = Uint8Array.from({ length: count }, (_, row) =>
    nearestOf(centres, rowOf(base, dimensions, row)),
  );
  const rowCounts = new Uint32Array(TOPICS);
  for (const topic of ofRows) rowCounts[topic]!++;
  return { ofRows, rowCounts, centres };
}

/**
 * Filters that about so many rows match: of whole topics, or where one is too many, of a random part of one.
 * @param kind with the topic that the queries lie in among them; or those alone that lie farthest from the queries
 */
export function topicalFilters(
  { rowCounts, centres }: Topics,
  data: Dataset,
  { share, kind, wanted }: { share: number; kind: 'own topic' | 'far topics'; wanted: number },
): FilteredQueries[] {
  const all = Array.from({ length: data.queryCount }, (_, row) => rowOf(data.queries, data.dimensions, row));
  const perFilter = Math.ceil(wanted / FILTERS);
  return Array.from({ length: FILTERS }, (_, number) => {
    const first = all[number]!;
    const own = nearestOf(centres, first);
    const shuffle = random(SEED + number);
    const places = centres.map((centre) => (kind === 'own topic' ? shuffle() : dot(first, centre)));
    if (kind === 'own topic') places[own] = -1;
    const order = Array.from(places.keys()).sort((a, b) => places[a]! - places[b]!);
    const topics: number[] = [];
    let matched = 0;
    for (const topic of order) {
      const isNearer =
        Math.abs(matched + rowCounts[topic]! - share * data.count) < share * data.count - matched;
      if (topics.length > 0 && !isNearer) break;
      topics.push(topic);
      matched += rowCounts[topic]!;
    }
    const part = (share * data.count) / matched;
    return {
      filter: { topic: { $in: topics }, ...(part < 0.5 && { random: { $lt: part } }) },
      queries: all
        .filter((query) => nearestOf(centres, query) === own)
        .sort((a, b) => dot(first, b) - dot(first, a))
        .slice(0, perFilter),
    };
  });
}

function nearestOf(centres: readonly Float32Array[], vector: Float32Array): number {
  let nearest = 0;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const [at, centre] of centres.entries()) {
    const product = dot(centre, vector);
    if (product <= greatest) continue;
    greatest = product;
    nearest = at;
  }
  return nearest;
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

import type { Dataset } from '../datasets/dataset.ts';
import { rowOf } from '../datasets/rows.ts';
import { dot } from './topics.ts';

export interface Correlated {
  /** Of each row: which share of all rows lies farther from the queries. */
  shares: Float64Array;
  queries: Float32Array[];
}

/** Queries that lie near one of them, and rows in the order of their distance from that: what is farthest has share 0. */
export function correlatedShares(
  { base, count, dimensions, queries, queryCount }: Dataset,
  wanted: number,
): Correlated {
  const axis = rowOf(queries, dimensions, 0);
  const cosines = Float64Array.from({ length: count }, (_, row) => dot(axis, rowOf(base, dimensions, row)));
  const order = Array.from(cosines.keys()).sort((a, b) => cosines[a]! - cosines[b]!);
  const shares = new Float64Array(count);
  for (const [rank, row] of order.entries()) shares[row] = rank / count;
  const nearest = Array.from({ length: queryCount }, (_, row) => rowOf(queries, dimensions, row))
    .sort((a, b) => dot(axis, b) - dot(axis, a))
    .slice(0, wanted);
  return { shares, queries: nearest };
}

/** Recall as the field's benchmarks define it: by distance, so that equally near neighbours count alike. */

import type { Dataset } from './datasets/dataset.ts';
import { TOP_K } from './engine.ts';

/** Two float32 sums of 100 products in different order differ by less. */
export const COSINE_TOLERANCE = 1e-5;

/** The share of answers that are at least as near as the TOP_K-th nearest neighbour. */
export function recall(labels: number[], data: Dataset, thresholds: Float32Array): number {
  let found = 0;
  for (const [place, label] of labels.entries()) {
    const query = Math.floor(place / TOP_K);
    if (label >= 0 && cosine(data, query, label) >= (thresholds[query] ?? 2) - COSINE_TOLERANCE) found++;
  }
  return found / labels.length;
}

export function cosine(data: Dataset, query: number, row: number): number {
  const { base, queries, dimensions } = data;
  let sum = 0;
  for (let dimension = 0; dimension < dimensions; dimension++)
    sum += (queries[query * dimensions + dimension] ?? 0) * (base[row * dimensions + dimension] ?? 0);
  return sum;
}

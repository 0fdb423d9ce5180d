import type { Metric } from '../base/api.ts';

/** Distances from one query to float32 vectors, as `Hit.distance` has them: what the kernel gives where it holds them. */
export type DistanceTo = (vector: Float32Array) => number;

export function distancesFrom(query: Float32Array, metric: Metric): DistanceTo {
  if (metric === 'euclidean') return (vector) => Math.sqrt(squaredDifference(query, vector));
  if (metric === 'dot') return (vector) => -dot(query, vector) + 0;
  const length = Math.sqrt(dot(query, query));
  return (vector) => Math.max(0, 1 - dot(query, vector) / (length * Math.sqrt(dot(vector, vector))));
}

/** Four sums, for one would make each addition wait for the one before. */
function dot(a: Float32Array, b: Float32Array): number {
  const { length } = a;
  let [first, second, third, fourth] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < length; i += 4) {
    first += a[i]! * b[i]!;
    second += a[i + 1]! * b[i + 1]!;
    third += a[i + 2]! * b[i + 2]!;
    fourth += a[i + 3]! * b[i + 3]!;
  }
  for (; i < length; i++) first += a[i]! * b[i]!;
  return first + second + (third + fourth);
}

function squaredDifference(a: Float32Array, b: Float32Array): number {
  const { length } = a;
  let [even, odd] = [0, 0];
  let i = 0;
  for (; i + 1 < length; i += 2) {
    even += (a[i]! - b[i]!) ** 2;
    odd += (a[i + 1]! - b[i + 1]!) ** 2;
  }
  if (i < length) even += (a[i]! - b[i]!) ** 2;
  return even + odd;
}

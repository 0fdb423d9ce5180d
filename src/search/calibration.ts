import type { Metric } from '../base/api.ts';

/** How float32 components become int8 codes. */
export interface Calibration {
  /** What int8 codes can tell apart are components from -clip to clip; others count as the nearer of the two. Under
   *  cosine, of vectors scaled to length 1. */
  clip: number;
}

/** Components of random directions lie within four standard deviations of 0. */
const DEVIATIONS = 4;

/** A guess to begin with, by the length of one vector. */
export function calibrationFor(vector: Float32Array, metric: Metric): Calibration {
  const length = metric === 'cosine' ? 1 : lengthOf(vector) || 1;
  return { clip: length * Math.min(1, DEVIATIONS / Math.sqrt(vector.length)) };
}

export function lengthOf(vector: Float32Array): number {
  let squares = 0;
  for (const component of vector) squares += component * component;
  return Math.sqrt(squares);
}

import type { VectorInput } from '../base/api.ts';
import { invalid } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import type { ResolvedConfig } from './config.ts';

/**
 * A vector as float32, in a buffer of its own: neither the caller's later changes nor a transfer can reach it.
 * @param path where it was given, for the error
 * @param into is filled and returned if it is as long: a buffer for each of many vectors costs more than the copying
 * @throws IsovecError INVALID_ARGUMENT for what is no vector at all, INVALID_VECTOR for elements that are no numbers
 */
export function copyVector(
  vector: VectorInput,
  path: string,
  into?: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  if (vector instanceof Float32Array || vector instanceof Float64Array) {
    if (into?.length !== vector.length) return new Float32Array(vector);
    into.set(vector);
    return into;
  }
  if (!Array.isArray(vector))
    throw invalid(path, 'a Float32Array, a Float64Array or an array of numbers', vector);
  const copy = into?.length === vector.length ? into : new Float32Array(vector.length);
  for (let index = 0; index < copy.length; index++) {
    const value: unknown = vector[index];
    if (typeof value !== 'number') throw invalidElement(path, index, value);
    copy[index] = value;
  }
  return copy;
}

/**
 * Checks what every index relies on: the length, finite elements, not zero under cosine, within maxMagnitude.
 * @throws IsovecError DIMENSION_MISMATCH, INVALID_VECTOR
 */
export function checkVector(
  vector: Float32Array,
  config: Pick<ResolvedConfig, 'dimensions' | 'metric'> & { maxMagnitude?: number | undefined },
  path: string,
): void {
  if (vector.length !== config.dimensions)
    throw new IsovecError(
      'DIMENSION_MISMATCH',
      `${path} has ${vector.length} dimensions; the collection has ${config.dimensions}`,
      { details: { path, expected: config.dimensions, got: vector.length } },
    );
  const kind = kindOf(vector);
  if (kind === 'not finite') {
    const index = vector.findIndex((value) => !Number.isFinite(value));
    throw invalidElement(path, index, vector[index]);
  }
  if (kind === 'zero' && config.metric === 'cosine')
    throw new IsovecError('INVALID_VECTOR', `${path} is zero, which has no direction for the cosine`, {
      details: { path },
    });
  if (config.maxMagnitude !== undefined) checkMagnitude(vector, config.maxMagnitude, path);
}

function checkMagnitude(vector: Float32Array, maxMagnitude: number, path: string): void {
  const magnitude = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (magnitude > maxMagnitude)
    throw new IsovecError(
      'INVALID_VECTOR',
      `${path} has magnitude ${magnitude}, over the collection's maxMagnitude ${maxMagnitude}`,
      { details: { path, magnitude, maxMagnitude } },
    );
}

/**
 * By the sum of all squares, in float64: no square of a float32 but that of zero is zero, and 65,536 of them stay finite. Four
 * sums side by side take half as long as looking at the bits, 0.07 us for 100 dimensions (Node 20).
 */
function kindOf(vector: Float32Array): 'not finite' | 'zero' | 'usual' {
  const { length } = vector;
  const inFours = length - (length % 4);
  let [sum, second, third, fourth] = [0, 0, 0, 0];
  for (let at = 0; at < inFours; at += 4) {
    sum += vector[at]! * vector[at]!;
    second += vector[at + 1]! * vector[at + 1]!;
    third += vector[at + 2]! * vector[at + 2]!;
    fourth += vector[at + 3]! * vector[at + 3]!;
  }
  for (let at = inFours; at < length; at++) sum += vector[at]! * vector[at]!;
  sum += second + third + fourth;
  // NaN is neither.
  if (!(sum < Number.POSITIVE_INFINITY)) return 'not finite';
  return sum === 0 ? 'zero' : 'usual';
}

function invalidElement(path: string, index: number, value: unknown): IsovecError {
  return new IsovecError(
    'INVALID_VECTOR',
    `${path}[${index}] must be a finite number, not ${String(value)}`,
    {
      details: { path: `${path}[${index}]`, index },
    },
  );
}

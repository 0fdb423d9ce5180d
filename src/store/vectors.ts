import type { VectorInput } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import { invalid } from './check.ts';
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
export function checkVector(vector: Float32Array, config: ResolvedConfig, path: string): void {
  if (vector.length !== config.dimensions)
    throw new IsovecError(
      'DIMENSION_MISMATCH',
      `${path} has ${vector.length} dimensions; the collection has ${config.dimensions}`,
      { details: { path, expected: config.dimensions, got: vector.length } },
    );
  let squares = 0;
  for (const value of vector) squares += value * value;
  // One sum finds every NaN and infinity; which element it was is looked up only then.
  if (!Number.isFinite(squares)) {
    const index = vector.findIndex((value) => !Number.isFinite(value));
    throw invalidElement(path, index, vector[index]);
  }
  if (squares === 0 && config.metric === 'cosine')
    throw new IsovecError('INVALID_VECTOR', `${path} is zero, which has no direction for the cosine`, {
      details: { path },
    });
  const magnitude = Math.sqrt(squares);
  if (config.maxMagnitude !== undefined && magnitude > config.maxMagnitude)
    throw new IsovecError(
      'INVALID_VECTOR',
      `${path} has magnitude ${magnitude}, over the collection's maxMagnitude ${config.maxMagnitude}`,
      { details: { path, magnitude, maxMagnitude: config.maxMagnitude } },
    );
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

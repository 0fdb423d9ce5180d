/** Arithmetic of rows, for pages too. */

export function rowOf(floats: Float32Array, dimensions: number, row: number): Float32Array {
  return floats.subarray(row * dimensions, (row + 1) * dimensions);
}

/** @returns undefined for a vector without a direction */
export function normalised(components: ArrayLike<number>): Float32Array | undefined {
  let squares = 0;
  for (let at = 0; at < components.length; at++) squares += (components[at] ?? 0) ** 2;
  const length = Math.sqrt(squares);
  return length > 0 ? Float32Array.from(components, (component) => component / length) : undefined;
}

import { expect, test } from 'vitest';
import { random } from '../search/random.ts';
import { loadModule, TEST_KERNEL } from './load.ts';

type Four = (query: number, rows: number, length: number, out: number) => void;

const kernel = new WebAssembly.Instance(loadModule(TEST_KERNEL)).exports as unknown as Record<
  string,
  Four
> & {
  memory: WebAssembly.Memory;
};

/** Nothing is created in this instance, so the pages added here are nobody else's. */
const PAGES = 32;
const base = kernel.memory.grow(PAGES) * 65_536;

const DIMENSIONS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 99, 100, 127, 384, 385, 768, 1535, 4096];

/** Four distances as a routine gives them, for components laid one vector behind another, the query first. */
function run(routine: string, vectors: readonly (Float32Array | Int8Array)[]): number[] {
  const [query, ...rows] = vectors;
  const { length, byteLength } = query!;
  const Components = query!.constructor as Float32ArrayConstructor;
  for (const [i, vector] of [query!, ...rows].entries())
    new Components(kernel.memory.buffer, base + i * byteLength, length).set(vector);
  const out = base + 5 * byteLength;
  kernel[`twin_${routine}`]!(base, base + byteLength, length, out);
  return [...new Float32Array(kernel.memory.buffer, out, 4)];
}

/** Five vectors of a padded length, zero after their dimensions, as the kernel holds them. */
function five<Vector extends Float32Array | Int8Array>(
  make: (length: number) => Vector,
  dimensions: number,
  next: () => number,
): Vector[] {
  const floatsInSixteenBytes = 16 / make(1).BYTES_PER_ELEMENT;
  return Array.from({ length: 5 }, () => {
    const values = make(Math.ceil(dimensions / floatsInSixteenBytes) * floatsInSixteenBytes);
    for (let i = 0; i < dimensions; i++) values[i] = next();
    return values;
  });
}

type Reference = (a: ArrayLike<number>, b: ArrayLike<number>) => number;

const REFERENCE: Record<'dot' | 'square', Reference> = {
  dot: (a, b) => -Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0),
  square: (a, b) => Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0),
};

for (const name of ['dot', 'square'] as const) {
  test(`float32 ${name}: the SIMD routine gives the bits of its scalar twin, and the true value within rounding`, () => {
    const next = random(5);
    for (const dimensions of DIMENSIONS) {
      const vectors = five(
        (length) => new Float32Array(length),
        dimensions,
        () => next() - 0.5,
      );
      const expected = run(`${name}_four_scalar`, vectors);
      expect(run(`${name}_four`, vectors)).toEqual(expected);
      for (const [i, distance] of expected.entries())
        expect(Math.abs(distance - REFERENCE[name](vectors[0]!, vectors[i + 1]!))).toBeLessThan(
          1e-6 * (dimensions + 8),
        );
    }
  });

  test(`float32 ${name}: infinities and values that overflow come out of both twins alike`, () => {
    const extremes = [3e38, -3e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, 0, -0, 1];
    for (const a of extremes)
      for (const b of extremes) {
        const rows = Array.from({ length: 4 }, () => Float32Array.of(b, a, b, -a));
        const vectors = [Float32Array.of(a, b, a, a), ...rows];
        expect(run(`${name}_four`, vectors)).toEqual(run(`${name}_four_scalar`, vectors));
      }
  });

  test(`int8 ${name}: both twins give the true value, rounded to float32`, () => {
    const next = random(6);
    for (const dimensions of DIMENSIONS) {
      const vectors = five(
        (length) => new Int8Array(length),
        dimensions,
        () => Math.floor(next() * 256) - 128,
      );
      const expected = vectors.slice(1).map((row) => Math.fround(REFERENCE[name](vectors[0]!, row)) + 0);
      expect(run(`${name}_int8_four`, vectors)).toEqual(expected);
      expect(run(`${name}_int8_four_scalar`, vectors)).toEqual(expected);
    }
  });

  test(`int8 ${name}: 65,536 components of whatever value do not overflow`, () => {
    const filled = (value: number) => new Int8Array(65_536).fill(value);
    for (const [a, b] of [
      [-128, -128],
      [-128, 127],
      [127, 127],
    ] as const) {
      const vectors = [filled(a), filled(b), filled(b), filled(a), filled(0)];
      const expected = vectors.slice(1).map((row) => Math.fround(REFERENCE[name](vectors[0]!, row)) + 0);
      expect(run(`${name}_int8_four`, vectors)).toEqual(expected);
      expect(run(`${name}_int8_four_scalar`, vectors)).toEqual(expected);
    }
  });
}

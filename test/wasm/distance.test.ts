import { expect, test } from 'vitest';
import { random } from '../search/random.ts';
import { loadModule, TEST_KERNEL } from './load.ts';

type Alone = (a: number, b: number, length: number) => number;
type Together = (query: number, rows: number, length: number, out: number) => void;

const kernel = new WebAssembly.Instance(loadModule(TEST_KERNEL)).exports as unknown as Record<
  string,
  Alone & Together
> & { memory: WebAssembly.Memory };

/** Nothing is created in this instance, so the pages added here are nobody else's. */
const PAGES = 32;
const base = kernel.memory.grow(PAGES) * 65_536;

const DIMENSIONS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 99, 100, 127, 384, 385, 768, 1535, 4096];

function lay(values: Float32Array, at: number): number {
  new Float32Array(kernel.memory.buffer, at, values.length).set(values);
  return at;
}

/** A vector of a padded length, zero after its dimensions, as the kernel holds it. */
function vector(dimensions: number, next: () => number): Float32Array {
  const values = new Float32Array((dimensions + 3) & ~3);
  for (let i = 0; i < dimensions; i++) values[i] = next();
  return values;
}

const REFERENCE = {
  dot: (a: Float32Array, b: Float32Array) => -a.reduce((sum, value, i) => sum + value * b[i]!, 0),
  square: (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0),
};

for (const name of ['dot', 'square'] as const) {
  test(`${name}: the SIMD routines give the bits of their scalar twins, and the true value within rounding`, () => {
    const next = random(5);
    for (const dimensions of DIMENSIONS) {
      const query = vector(dimensions, () => next() - 0.5);
      const rows = Array.from({ length: 4 }, () => vector(dimensions, () => next() - 0.5));
      const stride = query.length;
      const queryAt = lay(query, base);
      const rowsAt = base + stride * 4;
      rows.forEach((row, i) => {
        lay(row, rowsAt + i * stride * 4);
      });
      const outAt = rowsAt + 4 * stride * 4;
      const four = (routine: string) => {
        kernel[routine]!(queryAt, rowsAt, stride, outAt);
        return [...new Float32Array(kernel.memory.buffer, outAt, 4)];
      };
      const alone = (routine: string) =>
        rows.map((_, i) => kernel[routine]!(queryAt, rowsAt + i * stride * 4, stride, 0));
      const expected = alone(`twin_${name}_one_scalar`);
      expect(alone(`twin_${name}_one`)).toEqual(expected);
      expect(four(`twin_${name}_four`)).toEqual(expected);
      expect(four(`twin_${name}_four_scalar`)).toEqual(expected);
      for (const [i, row] of rows.entries())
        expect(Math.abs(expected[i]! - REFERENCE[name](query, row))).toBeLessThan(1e-6 * (dimensions + 8));
    }
  });

  test(`${name}: infinities and values that overflow come out of both twins alike`, () => {
    const extremes = [3e38, -3e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, 0, -0, 1];
    for (const a of extremes)
      for (const b of extremes) {
        const at = lay(Float32Array.of(a, b, a, a), base);
        const other = lay(Float32Array.of(b, a, b, -a), base + 16);
        expect(kernel[`twin_${name}_one`]!(at, other, 4, 0)).toBe(
          kernel[`twin_${name}_one_scalar`]!(at, other, 4, 0),
        );
      }
  });
}

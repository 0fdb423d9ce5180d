import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/base/api.ts';
import { STATE } from '../../src/search/kernel.ts';
import type { VectorIndexConfig } from '../../src/search/vector-index.ts';
import { loadModule, TEST_KERNEL } from '../wasm/load.ts';
import { linkAll, loadGraph, METRICS, makeIndex, saveGraph } from './model.ts';
import { gaussian } from './random.ts';

const DIMENSIONS = 100;
/** Four standard deviations of the vectors below. */
const CALIBRATION = { clip: 4 };
const UNIT_CALIBRATION = { clip: 0.4 };
const QUANTIZATIONS = ['none', 'int8'] as const;
const EACH = METRICS.flatMap((metric) => QUANTIZATIONS.map((quantization) => ({ metric, quantization })));
type Of = (typeof EACH)[number];

function vectors(count: number, dimensions: number, seed: number): Float32Array[] {
  const next = gaussian(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, next));
}

function configOf({ metric, quantization }: Of): Partial<VectorIndexConfig> {
  const calibration = quantization === 'int8' && {
    calibration: metric === 'cosine' ? UNIT_CALIBRATION : CALIBRATION,
  };
  return { dimensions: DIMENSIONS, metric, quantization, m: 16, efConstruction: 60, ...calibration };
}

/** The kernel by itself, with what it tells tests about codes of links. */
interface TestKernel {
  memory: WebAssembly.Memory;
  isovec_create(
    dimensions: number,
    metric: number,
    type: number,
    m: number,
    ef: number,
    codes: number,
  ): number;
  isovec_keep_link_codes(): number;
  isovec_calibrate(clip: number): number;
  isovec_vector_buffer(): number;
  isovec_image_buffer(): number;
  isovec_add(row: number): number;
  isovec_remove(slot: number): number;
  isovec_link(count: number): number;
  isovec_state_address(slot: number): number;
  isovec_count(which: number): number;
  isovec_search(count: number, top: number, ef: number): number;
  twin_link_codes(slot: number): number;
  twin_link_estimates(slot: number, out: number): number;
}

const module = loadModule(TEST_KERNEL);
const METRIC_NUMBERS: Record<Metric, number> = { cosine: 0, dot: 1, euclidean: 2 };
const PENDING = 0;
const DOOMED = 2;
const SLOTS = 4;

function makeKernel({ metric, quantization }: Of, dimensions: number, m: number): TestKernel {
  const kernel = new WebAssembly.Instance(module).exports as unknown as TestKernel;
  const codes = quantization === 'int8' ? 1 : 0;
  expect(kernel.isovec_create(dimensions, METRIC_NUMBERS[metric], 0, m, 40, codes)).toBe(0);
  expect(kernel.isovec_keep_link_codes()).toBe(0);
  if (codes === 1 && metric !== 'cosine') kernel.isovec_calibrate(CALIBRATION.clip);
  return kernel;
}

function write(kernel: TestKernel, vector: Float32Array): void {
  new Float32Array(kernel.memory.buffer, kernel.isovec_vector_buffer() >>> 0, vector.length).set(vector);
}

function finish(kernel: TestKernel): void {
  while (kernel.isovec_count(PENDING) + kernel.isovec_count(DOOMED) > 0) kernel.isovec_link(1000);
}

describe('codes of links', () => {
  it.each(EACH)(
    'leave the graph as it is, and nearly all of what walks find ($metric, $quantization)',
    (of) => {
      const all = vectors(1500, DIMENSIONS, 1);
      const [plain, coded] = [false, true].map((linkCodes) => {
        const index = makeIndex({ ...configOf(of), linkCodes });
        for (const [row, vector] of all.entries()) index.add(row, vector);
        linkAll(index);
        return index;
      });
      expect(saveGraph(coded!)).toEqual(saveGraph(plain!));
      const again = makeIndex({ ...configOf(of), linkCodes: true });
      loadGraph(again, saveGraph(coded!));
      for (const [row, vector] of all.entries()) again.add(row, vector);
      const queries = vectors(100, DIMENSIONS, 2);
      let found = 0;
      let foundPlain = 0;
      let foundAgain = 0;
      for (const query of queries) {
        const exact = new Set(plain!.scan(query, 10).rows);
        const hits = (rows: Uint32Array) => rows.filter((row) => exact.has(row)).length;
        foundPlain += hits(plain!.search(query, 10, 100).rows);
        found += hits(coded!.search(query, 10, 100).rows);
        foundAgain += hits(again.search(query, 10, 100).rows);
      }
      expect(found).toBeGreaterThan(0.98 * foundPlain);
      expect(foundAgain).toBeGreaterThan(0.98 * foundPlain);
      // what is passed over in error is met from elsewhere
      expect(foundPlain).toBeGreaterThan(700);
    },
  );

  it.each(EACH)(
    'estimate distances without bias, as far off as theory says ($metric, $quantization)',
    (of) => {
      const kernel = makeKernel(of, DIMENSIONS, 16);
      const all = vectors(600, DIMENSIONS, 3);
      for (const [row, vector] of all.entries()) {
        write(kernel, vector);
        kernel.isovec_add(row);
      }
      finish(kernel);
      const out = kernel.isovec_image_buffer() >>> 0;
      const ratios: number[] = [];
      for (const [number, query] of vectors(40, DIMENSIONS, 4).entries()) {
        write(kernel, query);
        const words = kernel.twin_link_estimates(number * 7, out);
        const count = words / 3;
        const numbers = new Float32Array(kernel.memory.buffer, out, words);
        for (let i = 0; i < count; i++) ratios.push(numbers[count + i]! - numbers[2 * count + i]!);
      }
      expect(ratios.length).toBeGreaterThan(500);
      const mean = ratios.reduce((sum, error) => sum + error, 0) / ratios.length;
      const deviation = Math.sqrt(ratios.reduce((sum, error) => sum + error * error, 0) / ratios.length);
      // Of a product of two differences, each as long as two independent vectors are far apart: sqrt(pi / 2 - 1) / sqrt(bits).
      const unit = of.quantization === 'none' ? 1 : of.metric === 'cosine' ? 127 / 0.4 : 127 / 4;
      const square = (of.metric === 'cosine' ? 2 : 2 * DIMENSIONS) * unit ** 2;
      const expected = (of.metric === 'euclidean' ? 2 : 1) * square * (0.76 / Math.sqrt(128));
      expect(deviation).toBeLessThan(1.1 * expected);
      expect(deviation).toBeGreaterThan(0.3 * expected);
      expect(Math.abs(mean)).toBeLessThan((4 * deviation) / Math.sqrt(ratios.length));
    },
  );

  it('are those of the links that are there, whatever comes and goes', () => {
    const operation = fc.record({
      does: fc.constantFrom('add', 'add', 'add', 'remove', 'link', 'ask', 'ask'),
      number: fc.nat(1000),
    });
    let made = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...EACH),
        fc.array(operation, { minLength: 100, maxLength: 300, size: 'max' }),
        (of, operations) => {
          const kernel = makeKernel(of, 10, 3);
          const next = gaussian(5);
          for (const [row, { does, number }] of operations.entries()) {
            write(kernel, Float32Array.from({ length: 10 }, next));
            if (does === 'add') kernel.isovec_add(row);
            else if (does === 'link') kernel.isovec_link(number % 50);
            else if (does === 'ask') kernel.isovec_search(1, 3, 1 + (number % 20));
            else if (kernel.isovec_count(SLOTS) > 0)
              kernel.isovec_remove(number % kernel.isovec_count(SLOTS));
            if (row % 10 > 0) continue;
            for (let slot = 0; slot < kernel.isovec_count(SLOTS); slot++) {
              const state =
                new Uint8Array(kernel.memory.buffer)[kernel.isovec_state_address(slot) >>> 0]! & 7;
              // free or pending: what is left of it is forgotten when it is linked
              if (state < STATE.linked) continue;
              const what = kernel.twin_link_codes(slot);
              if (what === 2) throw new Error(`codes of slot ${slot} are those of other links`);
              if (what === 1) made++;
            }
          }
        },
      ),
      { numRuns: 40, seed: 7, endOnFailure: true },
    );
    expect(made).toBeGreaterThan(1000);
  });

  it('are refused where there is something already, and for kinds of index that have none', () => {
    const kernel = makeKernel(EACH[0]!, 4, 3);
    expect(kernel.isovec_keep_link_codes()).toBe(-3);
    for (const [dimensions, type, codes] of [
      [4, 1, 0],
      [4, 0, 2],
      [4097, 0, 0],
    ] as const) {
      const other = new WebAssembly.Instance(module).exports as unknown as TestKernel;
      other.isovec_create(dimensions, 0, type, 3, 40, codes);
      expect(other.isovec_keep_link_codes()).toBe(-3);
    }
  });
});

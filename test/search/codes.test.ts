import fc from 'fast-check';
import { expect, test } from 'vitest';
import { METRICS, makeIndex } from './model.ts';
import { gaussian } from './random.ts';

function vectors(count: number, dimensions: number, seed: number): Float32Array[] {
  const next = gaussian(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, next));
}

/** Four standard deviations of what `vectors` gives: the default is for vectors of length 1. */
const CALIBRATION = { clip: 4 };

function calibrated(metric: (typeof METRICS)[number]) {
  return { metric, quantization: 'int8', ...(metric !== 'cosine' && { calibration: CALIBRATION }) } as const;
}

for (const metric of METRICS)
  test(`${metric}: among the twenty nearest by int8 codes are the ten nearest`, () => {
    const dimensions = 48;
    const all = vectors(2000, dimensions, 1);
    const exact = makeIndex({ dimensions, metric, type: 'flat' });
    const quantised = makeIndex({ dimensions, m: 16, efConstruction: 100, ...calibrated(metric) });
    for (const [row, vector] of all.entries()) {
      exact.add(row, vector);
      quantised.add(row, vector);
    }
    quantised.link(1900);
    let hits = 0;
    const queries = vectors(100, dimensions, 2);
    for (const query of queries) {
      const found = new Set(quantised.search(query, 20, 300).rows);
      for (const row of exact.scan(query, 10).rows) if (found.has(row)) hits++;
    }
    expect(hits / queries.length / 10).toBeGreaterThan(0.98);
  });

test('an int8 index needs a quarter of the memory for its vectors', () => {
  const dimensions = 768;
  const [plain, quantised] = (['none', 'int8'] as const).map((quantization) => {
    const index = makeIndex({ dimensions, quantization, type: 'flat' });
    index.reserve(20_000);
    return index.memoryBytes;
  });
  expect(plain! / quantised!).toBeGreaterThan(3.8);
});

test('int8 codes of 65,536 dimensions keep apart what lies apart', () => {
  const dimensions = 65_536;
  const all = vectors(8, dimensions, 4);
  for (const metric of METRICS) {
    const index = makeIndex({ dimensions, m: 4, efConstruction: 20, ...calibrated(metric) });
    for (const [row, vector] of all.entries()) index.add(row, vector);
    index.link(8);
    for (const [row, vector] of all.entries()) expect(index.search(vector, 1, 8).rows[0]).toBe(row);
  }
});

test('codes given back under other rows answer as the vectors did, linked and pending', () => {
  const dimensions = 20;
  const all = vectors(500, dimensions, 5);
  const config = { dimensions, ...calibrated('dot') };
  const index = makeIndex(config);
  for (const [row, vector] of all.entries()) index.add(row, vector);
  index.link(400);
  const again = makeIndex(config);
  again.loadGraph(index.saveGraph());
  for (const row of all.keys()) again.addCode(row, index.readCode(row));
  for (const row of all.keys()) expect(again.readCode(row)).toEqual(index.readCode(row));
  for (const query of vectors(20, dimensions, 6)) {
    expect(again.search(query, 10, 30)).toEqual(index.search(query, 10, 30));
    expect(again.scan(query, 10)).toEqual(index.scan(query, 10));
  }
});

test('codes of any bytes whatever do no harm', () => {
  for (const metric of METRICS)
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.uint8Array({ minLength: 40, maxLength: 40 }), { minLength: 1, maxLength: 80 }),
        (dimensions, codes) => {
          const index = makeIndex({ dimensions, m: 2, efConstruction: 8, ...calibrated(metric) });
          for (const [row, code] of codes.entries()) index.addCode(row, code.subarray(0, index.codeBytes));
          index.link(codes.length - 2);
          for (let row = 0; row < codes.length; row += 3) index.remove(row);
          const [query] = vectors(1, dimensions, 7);
          const held = codes.length - Math.ceil(codes.length / 3);
          for (const found of [index.search(query!, 100, 100), index.scan(query!, 100)]) {
            expect(found.rows.length).toBe(held);
            expect(found.distances.some(Number.isNaN)).toBe(false);
          }
          index.link(100);
          index.saveGraph();
        },
      ),
      { seed: 3 },
    );
});

test('an index of vectors has no codes', () => {
  expect(makeIndex({ dimensions: 20 }).codeBytes).toBe(0);
  expect(makeIndex({ dimensions: 20, quantization: 'int8' }).codeBytes).toBe(20);
});

test('refuses the graph image of an index with other codes', () => {
  const index = makeIndex({ dimensions: 4 });
  for (const [row, vector] of vectors(20, 4, 8).entries()) index.add(row, vector);
  index.link(20);
  const image = index.saveGraph();
  expect(() => makeIndex({ dimensions: 4, quantization: 'int8' }).loadGraph(image)).toThrow(
    'another configuration',
  );
  makeIndex({ dimensions: 4 }).loadGraph(image);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../src/base/crc32c.ts';
import { linkAll, loadGraph, METRICS, makeBulkIndex, makeIndex, oracleOf, saveGraph } from './model.ts';
import { gaussian } from './random.ts';

function vectors(count: number, dimensions: number, seed: number): Float32Array[] {
  const next = gaussian(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, next));
}

/** As embeddings are: most of what tells them apart lies in a few dozen directions. Two lists, cut at a number. */
function ofFewFactors(count: number, dimensions: number, cut: number): [Float32Array[], Float32Array[]] {
  const FACTORS = 40;
  const directions = vectors(FACTORS, dimensions, 21);
  const noise = gaussian(22);
  const all = vectors(count, FACTORS, 23).map((weights) =>
    Float32Array.from({ length: dimensions }, (_, d) =>
      weights.reduce((sum, weight, i) => sum + weight * directions[i]![d]!, noise()),
    ),
  );
  return [all.slice(0, cut), all.slice(cut)];
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

for (const metric of METRICS)
  test(`${metric}: among the hundred nearest by binary codes are nearly all of the ten nearest`, () => {
    const dimensions = 384;
    const queries = 50;
    const [all, asked] = ofFewFactors(3000 + queries, dimensions, 3000);
    const exact = makeIndex({ dimensions, metric, type: 'flat' });
    const graph = makeIndex({ dimensions, metric, m: 16, efConstruction: 100, quantization: 'binary' });
    const flat = makeIndex({ dimensions, metric, type: 'flat', quantization: 'binary' });
    for (const index of [exact, graph, flat])
      for (const [row, vector] of all.entries()) index.add(row, vector);
    linkAll(graph);
    let byGraph = 0;
    let byScan = 0;
    for (const query of asked) {
      const found = new Set(graph.search(query, 100, 200).rows);
      const scanned = new Set(flat.scan(query, 100).rows);
      for (const row of exact.scan(query, 10).rows) {
        if (found.has(row)) byGraph++;
        if (scanned.has(row)) byScan++;
      }
    }
    expect(byScan / queries / 10).toBeGreaterThan(0.98);
    expect(byGraph / queries / 10).toBeGreaterThan(0.96);
  });

test('binary estimates have no bias, and the error that theory gives', () => {
  for (const [dimensions, bits] of [
    [100, 128],
    [384, 384],
    [1000, 1024],
  ] as const) {
    const all = vectors(1000, dimensions, 11);
    const index = makeIndex({ dimensions, metric: 'cosine', type: 'flat', quantization: 'binary' });
    for (const [row, vector] of all.entries()) index.add(row, vector);
    const oracle = oracleOf({ metric: 'cosine' });
    const [query] = vectors(1, dimensions, 12);
    const { rows, distances } = index.scan(query!, 1000);
    const errors = Array.from(rows, (row, i) => distances[i]! - oracle.distance(all[row]!, query!));
    const mean = errors.reduce((sum, error) => sum + error) / errors.length;
    const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    // sqrt(pi / 2 - 1) / sqrt(bits), of signs alone; four bits of the query add little
    expect(deviation).toBeLessThan(0.85 / Math.sqrt(bits));
    expect(Math.abs(mean)).toBeLessThan((4 * deviation) / Math.sqrt(errors.length));
  }
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
  loadGraph(again, saveGraph(index));
  for (const row of all.keys()) again.addCode(row, index.readCode(row));
  for (const row of all.keys()) expect(again.readCode(row)).toEqual(index.readCode(row));
  for (const query of vectors(20, dimensions, 6)) {
    expect(again.search(query, 10, 30)).toEqual(index.search(query, 10, 30));
    expect(again.scan(query, 10)).toEqual(index.scan(query, 10));
  }
});

test('codes given back by the block answer as the vectors did, from memory of the index or any other', () => {
  const dimensions = 20;
  const all = vectors(3000, dimensions, 5);
  const config = { dimensions, ...calibrated('dot') };
  const index = makeIndex(config);
  for (const [row, vector] of all.entries()) index.add(row, vector);
  index.link(2400);
  // In the image still, but not wanted any more, and never in it.
  for (const row of [7, 2900]) index.remove(row);
  const image = saveGraph(index);
  const blocks = Array.from({ length: 3 }, (_, block) => {
    const codes = new Uint8Array(1000 * dimensions);
    for (let at = 0; at < 1000; at++)
      if (index.has(block * 1000 + at)) codes.set(index.readCode(block * 1000 + at), at * dimensions);
    return codes;
  });
  for (const hasRooms of [true, false]) {
    const again = makeBulkIndex(config);
    loadGraph(again, image);
    for (const [number, block] of blocks.entries()) {
      const room = hasRooms ? again.room(number % 2, 65_536)! : new Uint8Array(65_536);
      room.set(block, 20);
      again.addCodes(number * 1000, room.subarray(20, 20 + block.length), (row) => index.has(row));
    }
    again.leaveRooms();
    again.leaveRooms();
    expect(again.count).toBe(index.count);
    expect(again.has(7)).toBe(false);
    for (const query of vectors(20, dimensions, 6)) {
      expect(again.search(query, 10, 30)).toEqual(index.search(query, 10, 30));
      expect(again.scan(query, 10)).toEqual(index.scan(query, 10));
    }
    linkAll(again);
  }
});

test('vectors given back by the block answer as before, whatever stands between them', () => {
  const dimensions = 20;
  const all = vectors(1000, dimensions, 5);
  const stride = dimensions * 4 + 4;
  const block = new Uint8Array(all.length * stride).fill(255);
  for (const [row, vector] of all.entries()) block.set(new Uint8Array(vector.buffer), row * stride);
  for (const metric of METRICS) {
    const index = makeBulkIndex({ dimensions, metric });
    for (const [row, vector] of all.entries()) index.add(row, vector);
    index.link(800);
    index.remove(7);
    const again = makeBulkIndex({ dimensions, metric });
    loadGraph(again, saveGraph(index));
    again.addVectors(0, block, stride, (row) => index.has(row));
    for (const query of vectors(20, dimensions, 6)) {
      expect(again.search(query, 10, 30)).toEqual(index.search(query, 10, 30));
      expect(again.scan(query, 10)).toEqual(index.scan(query, 10));
    }
  }
});

test('a room that memory has outgrown is void, and another is to be had', () => {
  const index = makeBulkIndex({ dimensions: 16, quantization: 'int8' });
  const room = index.room(1, 100_000)!;
  expect(index.room(1, 100_000)!.byteOffset).toBe(room.byteOffset);
  expect(room.byteOffset).toBe(index.room(0, 100_000)!.byteOffset + 100_000);
  index.reserve(500_000);
  expect(room.length).toBe(0);
  expect(index.room(1, 100_000)!.length).toBe(100_000);
  const { memoryBytes } = index;
  index.leaveRooms();
  // What was a room serves for something else, which is all zeros.
  index.room(0, 100_000)!.fill(255);
  index.leaveRooms();
  expect(index.room(0, 50_000)!.every((byte) => byte === 0)).toBe(true);
  expect(index.memoryBytes).toBe(memoryBytes);
});

for (const quantization of ['int8', 'binary'] as const)
  for (const metric of METRICS)
    test(`${quantization}, ${metric}: codes of any bytes whatever do no harm`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 40 }),
          fc.array(fc.uint8Array({ minLength: 40, maxLength: 40, size: 'max' }), {
            minLength: 1,
            maxLength: 80,
          }),
          (dimensions, codes) => {
            const index = makeIndex({ dimensions, m: 2, efConstruction: 8, metric, quantization });
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
            saveGraph(index);
          },
        ),
        { seed: 3 },
      );
    });

test('an index of vectors has no codes', () => {
  expect(makeIndex({ dimensions: 20 }).codeBytes).toBe(0);
  expect(makeIndex({ dimensions: 20, quantization: 'int8' }).codeBytes).toBe(20);
  expect(makeIndex({ dimensions: 384, quantization: 'binary' }).codeBytes).toBe(384 / 8 + 8);
});

test('a graph serves whatever is held of the vectors', () => {
  const dimensions = 16;
  const all = vectors(300, dimensions, 8);
  const plain = makeIndex({ dimensions, metric: 'cosine' });
  for (const [row, vector] of all.entries()) plain.add(row, vector);
  plain.link(300);
  const quantised = makeIndex({ dimensions, ...calibrated('cosine'), calibration: CALIBRATION });
  loadGraph(quantised, saveGraph(plain));
  for (const [row, vector] of all.entries()) quantised.add(row, vector);
  expect(quantised.pendingCount).toBe(0);
  for (const [row, vector] of all.entries()) expect(quantised.search(vector, 3, 60).rows).toContain(row);
});

test('an int8 index that is not told how learns its codes from the first vector', () => {
  for (const metric of METRICS) {
    const index = makeIndex({ dimensions: 64, metric, quantization: 'int8' });
    expect(index.calibration).toBeUndefined();
    index.add(0, new Float32Array(64).fill(2));
    expect(index.calibration).toEqual({ clip: metric === 'cosine' ? 0.5 : 8 });
  }
});

test('the kernel makes the checksums that JavaScript makes, of pieces of any length', () => {
  const index = makeBulkIndex({ dimensions: 3, quantization: 'int8' });
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(200), fc.integer({ min: 500, max: 5000 })).chain(bytes),
      fc.integer({ min: 40, max: 3000 }),
      (all, pieceBytes) => {
        const expected: number[] = [];
        for (let start = 0; start < all.length; start += pieceBytes)
          expected.push(crc32c(all.subarray(start, start + pieceBytes)));
        expect([...index.checksums(all, pieceBytes)]).toEqual(expected);
      },
    ),
  );
});

import { expect, test } from 'vitest';
import { IsovecError } from '../../src/base/errors.ts';
import type { VectorIndex } from '../../src/search/vector-index.ts';
import {
  expectExact,
  expectSound,
  linkAll,
  loadGraph,
  METRICS,
  makeIndex,
  oracleOf,
  recall,
  saveGraph,
} from './model.ts';
import { gaussian, random } from './random.ts';

function gaussianVectors(count: number, dimensions: number, seed: number): Float32Array[] {
  const next = gaussian(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, next));
}

/** Around `centres` points, far closer to theirs than to one another. */
function clusteredVectors(
  count: number,
  dimensions: number,
  centres: number,
  seed: number,
  centreSeed: number,
): Float32Array[] {
  const middles = gaussianVectors(centres, dimensions, centreSeed);
  const choose = random(seed);
  const next = gaussian(seed + 1);
  return Array.from({ length: count }, () => {
    const middle = middles[Math.floor(choose() * centres)]!;
    return middle.map((value) => value + 0.1 * next());
  });
}

function fill(index: VectorIndex, vectors: Float32Array[]): void {
  for (const [row, vector] of vectors.entries()) index.add(row, vector);
  linkAll(index);
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return error instanceof IsovecError ? error.code : String(error);
  }
  return undefined;
}

for (const metric of METRICS) {
  test(`${metric}: finds nearly all of the nearest among random and among clustered vectors`, () => {
    const dimensions = 32;
    const sets = {
      random: [gaussianVectors(4000, dimensions, 1), gaussianVectors(100, dimensions, 2)],
      clustered: [clusteredVectors(4000, dimensions, 40, 1, 3), clusteredVectors(100, dimensions, 40, 5, 3)],
    } as const;
    for (const [vectors, queries] of Object.values(sets)) {
      const index = makeIndex({ dimensions, metric, m: 16, efConstruction: 100 });
      fill(index, vectors);
      expect(recall(index, queries, 10, 100)).toBeGreaterThan(0.94);
      expect(recall(index, queries, 10, 400)).toBeGreaterThan(0.985);
    }
  });

  test(`${metric}: a thousand copies of one vector hide nothing else`, () => {
    // Which copies lead to the others is chance, so that single sets give 0.90 to 1.00.
    const recalls = [9, 10, 11, 12, 13].map((seed) => {
      const index = makeIndex({ dimensions: 8, metric });
      const vectors = gaussianVectors(1000, 8, seed);
      const copies = Array.from({ length: 1000 }, () => vectors[0]!);
      const all = [...copies, ...vectors.slice(1), ...copies];
      fill(index, all);
      const model = new Map(all.entries());
      for (const query of vectors.slice(1, 4)) {
        expectSound(index.search(query, 50, 100), model, oracleOf({ metric }), query);
        expectExact(index.scan(query, 50), model, oracleOf({ metric }), query, 50);
      }
      return recall(index, vectors.slice(1, 101), 5, 100);
    });
    expect(recalls.reduce((sum, each) => sum + each) / recalls.length).toBeGreaterThan(0.95);
  });

  test(`${metric}: magnitudes from 1e-30 to 1e30 survive, and overflow counts as infinitely far`, () => {
    const index = makeIndex({ dimensions: 3, metric });
    const vectors = [1e-30, 1, 1e30, 3e38].flatMap((scale) => [
      Float32Array.of(scale, 0, 0),
      Float32Array.of(0, -scale, scale / 2),
      Float32Array.of(-scale, scale, -scale),
    ]);
    fill(index, vectors);
    for (const query of vectors) {
      for (const found of [index.search(query, 12, 50), index.scan(query, 12)]) {
        expect(found.rows.length).toBe(12);
        expect([...found.distances].some(Number.isNaN)).toBe(false);
        if (metric === 'cosine') expect(found.distances[0]).toBeLessThan(1e-6);
      }
    }
    for (let row = 0; row < 12; row += 2) index.remove(row);
    linkAll(index);
    expect(index.search(vectors[1]!, 12, 50).rows.length).toBe(6);
  });
}

test('answers stand nearest first, and equal distances by row', () => {
  for (const type of ['flat', 'hnsw'] as const) {
    const index = makeIndex({ dimensions: 2, type });
    for (const row of [9, 4, 7, 2, 5]) index.add(row, Float32Array.of(1, 1));
    index.add(1, Float32Array.of(1, 2));
    index.add(0, Float32Array.of(3, 1));
    index.link(3);
    const found = index.search(Float32Array.of(1, 1), 10, 10);
    expect([...found.rows]).toEqual([2, 4, 5, 7, 9, 1, 0]);
    expect([...found.distances]).toEqual([0, 0, 0, 0, 0, 1, 2]);
    expect([...index.scan(Float32Array.of(1, 1), 3).rows]).toEqual([2, 4, 5]);
  }
});

test('an empty index answers nothing', () => {
  const index = makeIndex();
  expect(index.search(new Float32Array(4), 10, 50).rows.length).toBe(0);
  expect(index.scan(new Float32Array(4), 10).rows.length).toBe(0);
  expect(index.remove(3)).toBe(false);
  expect(index.has(3)).toBe(false);
  expect(index.link(10)).toBe(0);
});

test('holds vectors of 65,536 dimensions', () => {
  const dimensions = 65_536;
  const vectors = gaussianVectors(12, dimensions, 4);
  const index = makeIndex({ dimensions, metric: 'cosine', m: 4, efConstruction: 20 });
  fill(index, vectors);
  for (const [row, vector] of vectors.entries()) expect(index.search(vector, 1, 12).rows[0]).toBe(row);
});

test('a removed row is not answered from the moment it is removed', () => {
  const vectors = gaussianVectors(600, 8, 21);
  const index = makeIndex({ dimensions: 8, metric: 'cosine' });
  fill(index, vectors);
  const model = new Map(vectors.entries());
  for (let row = 0; row < 600; row++) {
    if (row % 10 < 7) {
      index.remove(row);
      model.delete(row);
    }
    if (row % 97 === 0) index.link(5);
  }
  expect(index.backlogCount).toBeGreaterThan(300);
  for (const query of vectors.slice(0, 50)) {
    const found = index.search(query, 20, 60);
    expect(found.rows.length).toBe(20);
    expectSound(found, model, oracleOf({ metric: 'cosine' }), query);
  }
  expect(recall(index, vectors.slice(0, 100), 10, 60)).toBeGreaterThan(0.95);
  linkAll(index);
  expect(index.backlogCount).toBe(0);
  expect(recall(index, vectors.slice(0, 100), 10, 60)).toBeGreaterThan(0.97);
});

test('after replacing five times its size, recall is that of a fresh build, and memory has not grown', () => {
  const dimensions = 16;
  const size = 2000;
  const vectors = gaussianVectors(size * 6, dimensions, 31);
  const queries = gaussianVectors(200, dimensions, 32);
  const config = { dimensions, metric: 'cosine', m: 8, efConstruction: 100 } as const;
  const churned = makeIndex(config);
  fill(churned, vectors.slice(0, size));
  const choose = random(33);
  const held = Array.from({ length: size }, (_, row) => row);
  let memoryAfterOneTurn = 0;
  for (let next = size; next < vectors.length; next++) {
    const at = Math.floor(choose() * size);
    churned.remove(held[at]!);
    held[at] = next;
    churned.add(next, vectors[next]!);
    if (next % 50 === 0) linkAll(churned);
    if (next === size * 2) memoryAfterOneTurn = churned.memoryBytes;
  }
  linkAll(churned);
  const fresh = makeIndex(config);
  for (const row of held) fresh.add(row, vectors[row]!);
  linkAll(fresh);
  expect(churned.count).toBe(size);
  for (const ef of [20, 50, 100])
    expect(recall(churned, queries, 10, ef)).toBeGreaterThan(recall(fresh, queries, 10, ef) - 0.015);
  // the table of rows has grown: row numbers here are never used again
  expect(churned.memoryBytes).toBeLessThan(memoryAfterOneTurn * 1.1);
});

for (const disturbance of ['nothing', 'adding', 'removing'] as const)
  test(`every row keeps its vector while many are put in order for linking, with ${disturbance} in between`, () => {
    const vectors = gaussianVectors(6000, 8, 44);
    const index = makeIndex({ dimensions: 8, m: 16, efConstruction: 100 });
    const model = new Map(vectors.slice(0, 5000).entries());
    for (const [row, vector] of model) index.add(row, vector);
    let slices = 0;
    while (index.link(1) === 0) {
      slices++;
      const row = slices * 7;
      if (disturbance === 'adding') {
        model.set(5000 + slices, vectors[5000 + slices]!);
        index.add(5000 + slices, vectors[5000 + slices]!);
      } else if (disturbance === 'removing' && slices > 30) {
        model.delete(row);
        index.remove(row);
      }
      const query = vectors[5900 + (slices % 100)]!;
      if (slices % 10 === 0)
        expectExact(index.search(query, 10, 10), model, oracleOf({ metric: 'euclidean' }), query, 10);
    }
    expect(slices).toBeGreaterThan(30);
    linkAll(index);
    expect(index.count).toBe(model.size);
    for (const [row, vector] of model)
      expect(index.search(vector, 1, 50)).toEqual({
        rows: Uint32Array.of(row),
        distances: Float32Array.of(0),
      });
    expect(recall(index, vectors.slice(5800), 10, 50)).toBeGreaterThan(0.97);
  });

test('emptied and filled again, it needs no more memory than before', () => {
  const vectors = gaussianVectors(3000, 16, 41);
  const index = makeIndex({ dimensions: 16 });
  fill(index, vectors);
  const full = index.memoryBytes;
  for (let turn = 0; turn < 3; turn++) {
    for (let row = 0; row < vectors.length; row++) index.remove(row);
    expect(index.count).toBe(0);
    expect(index.search(vectors[0]!, 5, 20).rows.length).toBe(0);
    while (index.backlogCount > 0) index.link(700);
    fill(index, vectors);
    expect(recall(index, vectors.slice(0, 50), 5, 50)).toBeGreaterThan(0.97);
  }
  expect(index.memoryBytes).toBe(full);
});

test('the same operations give the same graph, byte for byte', () => {
  const vectors = gaussianVectors(500, 8, 51);
  const images = [0, 1].map(() => {
    const index = makeIndex({ dimensions: 8 });
    fill(index, vectors);
    for (let row = 0; row < 100; row++) index.remove(row);
    return saveGraph(index);
  });
  expect(images[0]).toEqual(images[1]);
});

test('refuses what memory cannot hold, and stays as it was', () => {
  const vectors = gaussianVectors(200, 64, 61);
  const index = makeIndex({ dimensions: 64 });
  fill(index, vectors);
  const before = index.memoryBytes;
  // 200 million vectors of 64 dimensions are 51 GB
  expect(codeOf(() => index.reserve(200_000_000))).toBe('QUOTA_EXCEEDED');
  expect(codeOf(() => index.reserve(0xffff_ffff))).toBe('QUOTA_EXCEEDED');
  expect(index.memoryBytes).toBe(before);
  index.reserve(10_000);
  const reserved = index.memoryBytes;
  expect(reserved).toBeGreaterThan(10_000 * 64 * 4);
  for (let row = 1000; row < 11_000; row++) index.add(row, vectors[row % 200]!);
  expect(index.memoryBytes - reserved).toBeLessThan(100_000);
  expect(index.count).toBe(10_200);
});

test('works beyond two gigabytes, where addresses have their top bit set', () => {
  // Of most such sets a vector or two are the nearest of none, and no graph leads there: not of this one.
  const vectors = gaussianVectors(800, 16, 73);
  const index = makeIndex({ dimensions: 16, metric: 'dot' });
  // pools, heaps and answers then lie behind 2.5 GB of slots
  index.reserve(16_000_000);
  expect(index.memoryBytes).toBeGreaterThan(2 ** 31);
  fill(index, vectors);
  const model = new Map(vectors.entries());
  for (const query of vectors.slice(0, 20)) {
    expectExact(index.search(query, 700, 800), model, oracleOf({ metric: 'dot' }), query, 700);
    expectExact(index.scan(query, 700), model, oracleOf({ metric: 'dot' }), query, 700);
  }
  const loaded = makeIndex({ dimensions: 16, metric: 'dot' });
  loadGraph(loaded, saveGraph(index));
  expect(loaded.count).toBe(800);
});

test('finds nearly all of the nearest that are allowed where none of them lies near the query', () => {
  const vectors = clusteredVectors(4000, 32, 40, 1, 3);
  const index = makeIndex({ dimensions: 32, metric: 'cosine' });
  fill(index, vectors);
  const found: number[] = [];
  for (const query of clusteredVectors(50, 32, 40, 5, 3)) {
    const near = index.scan(query, vectors.length).rows;
    const far = near.subarray(near.length / 2);
    const allowed = new Uint32Array(vectors.length / 32);
    for (const row of far) allowed[row >>> 5]! |= 1 << (row & 31);
    expect(index.searchAllowed(query, allowed, 10, { ef: 100, nearMin: 1, efAllowed: 0 }).rows).toHaveLength(
      0,
    );
    const walk = { ef: 1, nearMin: 0, efAllowed: 460 };
    const rows = new Set(index.searchAllowed(query, allowed, 10, walk).rows);
    found.push(far.subarray(0, 10).filter((row) => rows.has(row)).length / 10);
  }
  expect(found.reduce((sum, each) => sum + each) / found.length).toBeGreaterThan(0.95);
});

import { expect, test } from 'vitest';
import { createHnswlibIndex } from '../../src/search/hnswlib-index.ts';
import { startHnswlib } from '../../src/search/hnswlib-library.ts';
import type { VectorIndex } from '../../src/search/vector-index.ts';
import {
  expectExact,
  expectSound,
  linkAll,
  METRICS,
  makeHnswlibIndex,
  makeIndex,
  oracleOf,
  recall,
} from './model.ts';
import { gaussian, random } from './random.ts';

function gaussianVectors(count: number, dimensions: number, seed: number): Float32Array[] {
  const next = gaussian(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, next));
}

function fill(index: VectorIndex, vectors: Float32Array[]): void {
  for (const [row, vector] of vectors.entries()) index.add(row, vector);
  linkAll(index);
}

for (const metric of METRICS) {
  test(`${metric}: both engines answer alike, exactly and by their graphs`, async () => {
    const dimensions = 24;
    const vectors = gaussianVectors(3000, dimensions, 1);
    const queries = gaussianVectors(100, dimensions, 2);
    const config = { dimensions, metric, m: 16, efConstruction: 100 };
    const ours = makeIndex(config);
    const theirs = await makeHnswlibIndex(config);
    for (const index of [ours, theirs]) fill(index, vectors);
    const model = new Map(vectors.entries());
    const oracle = oracleOf({ metric });
    for (const query of queries) {
      const exact = theirs.scan(query, 20);
      expectExact(exact, model, oracle, query, 20);
      expect([...exact.rows]).toEqual([...ours.scan(query, 20).rows]);
      expectSound(theirs.search(query, 20, 50), model, oracle, query);
    }
    for (const ef of [30, 100])
      expect(Math.abs(recall(theirs, queries, 10, ef) - recall(ours, queries, 10, ef))).toBeLessThan(0.03);
    expect(recall(theirs, queries, 10, 100)).toBeGreaterThan(0.95);
  });

  test(`${metric}: magnitudes from 1e-30 to 1e30 survive, and overflow counts as infinitely far`, async () => {
    const index = await makeHnswlibIndex({ dimensions: 3, metric });
    const vectors = [1e-30, 1, 1e30, 3e38].flatMap((scale) => [
      Float32Array.of(scale, 0, 0),
      Float32Array.of(0, -scale, scale / 2),
      Float32Array.of(-scale, scale, -scale),
    ]);
    fill(index, vectors);
    for (const query of vectors)
      for (const found of [index.search(query, 12, 50), index.scan(query, 12)]) {
        expect(found.rows.length).toBe(12);
        expect([...found.distances].some(Number.isNaN)).toBe(false);
        if (metric === 'cosine') expect(found.distances[0]).toBeLessThan(1e-6);
      }
    for (let row = 0; row < 12; row += 2) index.remove(row);
    linkAll(index);
    expect(index.search(vectors[1]!, 12, 50).rows.length).toBe(6);
  });
}

test('answers stand nearest first, and equal distances by row', async () => {
  const index = await makeHnswlibIndex({ dimensions: 2 });
  for (const row of [9, 4, 7, 2, 5]) index.add(row, Float32Array.of(1, 1));
  index.add(1, Float32Array.of(1, 2));
  index.add(0, Float32Array.of(3, 1));
  index.link(3);
  const found = index.search(Float32Array.of(1, 1), 10, 10);
  expect([...found.rows]).toEqual([2, 4, 5, 7, 9, 1, 0]);
  expect([...found.distances]).toEqual([0, 0, 0, 0, 0, 1, 2]);
});

test('after replacing five times its size, recall is that of a fresh build, and memory has not grown', async () => {
  const dimensions = 16;
  const size = 500;
  const vectors = gaussianVectors(size * 6, dimensions, 31);
  const queries = gaussianVectors(100, dimensions, 32);
  const config = { dimensions, metric: 'cosine', m: 8, efConstruction: 60 } as const;
  const churned = await createHnswlibIndex(config);
  fill(churned, vectors.slice(0, size));
  const before = churned.memoryBytes;
  const choose = random(33);
  const held = Array.from({ length: size }, (_, row) => row);
  for (let next = size; next < vectors.length; next++) {
    const at = Math.floor(choose() * size);
    churned.remove(held[at]!);
    held[at] = next;
    churned.add(next, vectors[next]!);
    if (next % 20 === 0) linkAll(churned);
  }
  linkAll(churned);
  expect(churned.count).toBe(size);
  expect(churned.memoryBytes).toBeLessThan(before * 1.1);
  const fresh = await makeHnswlibIndex(config);
  for (const row of held) fresh.add(row, vectors[row]!);
  linkAll(fresh);
  expect(recall(churned, queries, 10, 20)).toBeGreaterThan(recall(fresh, queries, 10, 20) - 0.02);
});

test('with nearly everything removed, what is left is found', async () => {
  const vectors = gaussianVectors(1500, 8, 41);
  const index = await makeHnswlibIndex({ dimensions: 8 });
  fill(index, vectors);
  for (let row = 0; row < 1500; row++) if (row % 100 > 0) index.remove(row);
  for (const topK of [1, 10, 100]) {
    const found = index.search(vectors[300]!, topK, 1);
    expect(found.rows[0]).toBe(300);
    expect(found.rows.length).toBe(Math.min(topK, 15));
  }
  for (let row = 0; row < 1500; row += 100) index.remove(row);
  expect(index.search(vectors[0]!, 10, 50).rows.length).toBe(0);
  fill(index, vectors);
  expect(recall(index, vectors.slice(0, 50), 5, 50)).toBeGreaterThan(0.97);
});

test('refuses what its memory cannot hold, and stays as it was', async () => {
  const vectors = gaussianVectors(100, 64, 61);
  const index = await makeHnswlibIndex({ dimensions: 64 });
  fill(index, vectors);
  const before = index.memoryBytes;
  // 8 million vectors of 64 dimensions are 2 GB
  for (const count of [8_000_000, 0xffff_ffff])
    expect(() => index.reserve(count)).toThrowError(expect.objectContaining({ code: 'QUOTA_EXCEEDED' }));
  expect(index.memoryBytes).toBe(before);
  expect(index.search(vectors[7]!, 1, 10).rows[0]).toBe(7);
  index.reserve(10_000);
  const reserved = index.memoryBytes;
  for (let row = 1000; row < 11_000; row++) index.add(row, vectors[row % 100]!);
  expect(index.memoryBytes - reserved).toBeLessThan(100_000);
});

test('leaves no window behind where there was none', async () => {
  expect('window' in globalThis).toBe(false);
  await startHnswlib();
  expect('window' in globalThis).toBe(false);
});

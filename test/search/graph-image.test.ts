import { expect, test } from 'vitest';
import { IsovecError } from '../../src/base/errors.ts';
import type { KernelVectorIndex } from '../../src/search/kernel-index.ts';
import { METRICS, makeIndex } from './model.ts';
import { gaussian } from './random.ts';

const DIMENSIONS = 6;

function vectors(count: number, seed: number): Float32Array[] {
  const next = gaussian(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: DIMENSIONS }, next));
}

const SMALL = { dimensions: DIMENSIONS, m: 3, efConstruction: 20 } as const;

/** A graph with upper levels, spilt links, free slots and pending ones. */
function smallIndex(all: Float32Array[]): KernelVectorIndex {
  const index = makeIndex(SMALL);
  for (const [row, vector] of all.entries()) index.add(row, vector);
  index.link(all.length - 4);
  for (let row = 0; row < all.length; row += 9) index.remove(row);
  return index;
}

/** Whether the image was refused as damaged, leaving an index that works. */
function isRefused(index: KernelVectorIndex, image: Uint8Array): boolean {
  try {
    index.loadGraph(image);
    return false;
  } catch (error) {
    if (!(error instanceof IsovecError) || error.code !== 'CORRUPTION') throw error;
    expect(index.count).toBe(0);
    expect(index.pendingCount).toBe(0);
    return true;
  }
}

for (const metric of METRICS)
  test(`${metric}: a loaded graph answers as the saved one did`, () => {
    const all = vectors(1500, 1);
    const config = { dimensions: DIMENSIONS, metric, m: 6, efConstruction: 40 };
    const saved = makeIndex(config);
    for (const [row, vector] of all.entries()) saved.add(row * 3, vector);
    saved.link(1400);
    const loaded = makeIndex(config);
    loaded.loadGraph(saved.saveGraph());
    expect(loaded.count).toBe(1400);
    for (const [row, vector] of all.entries()) loaded.add(row * 3, vector);
    expect(loaded.count).toBe(1500);
    expect(loaded.pendingCount).toBe(100);
    for (const query of vectors(50, 2))
      for (const ef of [1, 10, 50]) expect(loaded.search(query, 10, ef)).toEqual(saved.search(query, 10, ef));
    for (const index of [saved, loaded]) {
      for (let row = 0; row < 1500; row += 6) index.remove(row);
      index.link(1000);
    }
    for (const query of vectors(50, 3))
      expect(loaded.search(query, 10, 20)).toEqual(saved.search(query, 10, 20));
  });

test('rows that still await their vectors are held, but not answered', () => {
  const all = vectors(300, 3);
  const saved = makeIndex(SMALL);
  for (const [row, vector] of all.entries()) saved.add(row, vector);
  saved.link(300);
  const loaded = makeIndex(SMALL);
  loaded.loadGraph(saved.saveGraph());
  for (let row = 0; row < 100; row++) loaded.add(row, all[row]!);
  expect(loaded.count).toBe(300);
  expect(loaded.scan(all[200]!, 300).rows.length).toBe(100);
  expect([...loaded.search(all[200]!, 300, 300).rows].every((row) => row < 100)).toBe(true);
  for (let row = 100; row < 200; row++) expect(loaded.remove(row)).toBe(true);
  for (let row = 200; row < 300; row++) loaded.add(row, all[row]!);
  loaded.link(1000);
  expect(loaded.count).toBe(200);
  expect(loaded.search(all[250]!, 1, 100).rows[0]).toBe(250);
});

test('an image of nothing loads as nothing', () => {
  for (const type of ['flat', 'hnsw'] as const) {
    const empty = makeIndex({ ...SMALL, type });
    empty.add(1, vectors(1, 1)[0]!);
    const loaded = makeIndex({ ...SMALL, type });
    loaded.loadGraph(empty.saveGraph());
    expect(loaded.count).toBe(0);
    loaded.add(1, vectors(1, 1)[0]!);
    loaded.link(1);
    expect([...loaded.search(vectors(1, 1)[0]!, 1, 1).rows]).toEqual([1]);
  }
});

test('refuses the image of an index with another configuration', () => {
  const image = smallIndex(vectors(40, 4)).saveGraph();
  expect(isRefused(makeIndex({ ...SMALL, m: 4 }), image)).toBe(true);
  expect(isRefused(makeIndex({ ...SMALL, dimensions: 7 }), image)).toBe(true);
  expect(isRefused(makeIndex({ ...SMALL, metric: 'dot' }), image)).toBe(true);
  expect(isRefused(makeIndex({ ...SMALL, type: 'flat' }), image)).toBe(true);
  expect(isRefused(makeIndex({ ...SMALL, efConstruction: 9 }), image)).toBe(false);
});

test('refuses an image cut off anywhere, or with anything behind it', () => {
  const image = smallIndex(vectors(60, 5)).saveGraph();
  const index = makeIndex(SMALL);
  for (let length = 0; length < image.length; length++)
    expect(isRefused(index, image.subarray(0, length))).toBe(true);
  const longer = new Uint8Array(image.length + 4);
  longer.set(image);
  expect(isRefused(index, longer)).toBe(true);
  expect(isRefused(index, image)).toBe(false);
});

test('an image with any bit wrong is refused, or does no harm', () => {
  const all = vectors(48, 6);
  const image = smallIndex(all).saveGraph();
  const queries = vectors(3, 7);
  let index = makeIndex(SMALL);
  for (let byte = 0; byte < image.length; byte++)
    for (const mask of [1, 4, 0x80, 0xff]) {
      const damaged = image.slice();
      damaged[byte]! ^= mask;
      if (isRefused(index, damaged)) continue;
      exercise(index, all, queries);
      index = makeIndex(SMALL);
    }
  index.loadGraph(image);
});

/** What a store does with an index, on whatever rows a damaged image has given it. */
function exercise(index: KernelVectorIndex, all: Float32Array[], queries: Float32Array[]): void {
  for (const [row, vector] of all.entries()) if (row % 3 > 0 || index.has(row)) index.add(row, vector);
  for (const query of queries) {
    const found = index.search(query, 20, 30);
    expect(new Set(found.rows).size).toBe(20);
    for (const row of found.rows) expect(index.has(row)).toBe(true);
  }
  for (let row = 0; row < all.length; row += 2) index.remove(row);
  index.link(1000);
  expect(index.backlogCount).toBe(0);
  for (const query of queries)
    for (const row of index.search(query, 20, 30).rows) expect(row % 2 === 1 || row >= all.length).toBe(true);
  index.saveGraph();
}

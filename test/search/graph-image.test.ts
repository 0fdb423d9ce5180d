import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IsovecError } from '../../src/base/errors.ts';
import type { KernelVectorIndex } from '../../src/search/kernel-index.ts';
import { isImageByte, linkAll, loadGraph, METRICS, makeIndex, saveGraph } from './model.ts';
import { gaussian } from './random.ts';

const DIMENSIONS = 6;
/** In the header: see wasm/image.c. */
const SLOTS_AT = 20;
const UPPER_RECORDS_AT = 36;
const SPILL_RECORDS_AT = 40;

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
    loadGraph(index, image);
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
    loadGraph(loaded, saveGraph(saved));
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
  loadGraph(loaded, saveGraph(saved));
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
    loadGraph(loaded, saveGraph(empty));
    expect(loaded.count).toBe(0);
    loaded.add(1, vectors(1, 1)[0]!);
    loaded.link(1);
    expect([...loaded.search(vectors(1, 1)[0]!, 1, 1).rows]).toEqual([1]);
  }
});

test('refuses the image of an index with another configuration', () => {
  const image = saveGraph(smallIndex(vectors(40, 4)));
  expect(isRefused(makeIndex({ ...SMALL, m: 4 }), image)).toBe(true);
  expect(isRefused(makeIndex({ ...SMALL, dimensions: 7 }), image)).toBe(true);
  expect(isRefused(makeIndex({ ...SMALL, metric: 'dot' }), image)).toBe(true);
  expect(isRefused(makeIndex({ ...SMALL, type: 'flat' }), image)).toBe(true);
  expect(isRefused(makeIndex({ ...SMALL, efConstruction: 9 }), image)).toBe(false);
});

test('an image without its end, wherever that begins, is refused or does no harm', () => {
  const all = vectors(60, 5);
  const image = saveGraph(smallIndex(all));
  const queries = vectors(3, 7);
  for (let length = 0; length < image.length; length += 5) {
    const cut = image.slice();
    for (let at = length; at < cut.length; at++) if (isImageByte(image, at)) cut[at] = 0;
    const index = makeIndex(SMALL);
    if (!isRefused(index, cut)) exercise(index, all, queries);
  }
});

test('a header that claims more than is stored is refused before it costs memory', () => {
  const image = saveGraph(smallIndex(vectors(60, 5)));
  const index = makeIndex(SMALL);
  const { memoryBytes } = index;
  for (const field of [SLOTS_AT, UPPER_RECORDS_AT, SPILL_RECORDS_AT]) {
    const damaged = image.slice();
    new DataView(damaged.buffer).setUint32(field, 50_000_000, true);
    expect(isRefused(index, damaged)).toBe(true);
  }
  expect(index.memoryBytes - memoryBytes).toBeLessThan(1024 * 1024);
});

test('a graph stays one graph while it is read in pieces, whatever is added and removed meanwhile', () => {
  const all = vectors(400, 9);
  const added = vectors(200, 10);
  fc.assert(
    fc.property(
      fc.array(fc.record({ isRemoval: fc.boolean(), row: fc.nat(399) }), { maxLength: 60 }),
      (changes) => {
        const index = makeIndex(SMALL);
        for (const [row, vector] of all.entries()) index.add(row, vector);
        index.link(350);
        for (let row = 0; row < 20; row++) index.remove(row * 7);
        const graph = index.readGraph();
        const loaded = makeIndex(SMALL);
        const image = loaded.openGraph(graph.header, 1 << 20);
        let next = 1000;
        for (const [section, length] of graph.sections.entries())
          for (let offset = 0; offset < length; offset += 512) {
            image.write(section, offset, graph.read(section, offset, 512));
            const change = changes.pop();
            if (!change) continue;
            if (change.isRemoval) index.remove(change.row);
            else index.add(next, added[next++ % 200]!);
          }
        loaded.acceptGraph();
        for (const [row, vector] of all.entries()) {
          if (index.has(row)) loaded.add(row, vector);
          else if (loaded.has(row)) loaded.remove(row);
        }
        loaded.link(1000);
        for (const query of vectors(5, 11)) {
          const { rows } = loaded.search(query, 400, 400);
          expect(rows.length).toBe(all.filter((_, row) => index.has(row)).length);
          for (const row of rows) expect(index.has(row)).toBe(true);
        }
      },
    ),
    { seed: 4, numRuns: 60 },
  );
});

test('an image with any bit wrong is refused, or does no harm', () => {
  const all = vectors(48, 6);
  const image = saveGraph(smallIndex(all));
  const queries = vectors(3, 7);
  let index = makeIndex(SMALL);
  for (let byte = 0; byte < image.length; byte++)
    for (const mask of [1, 4, 0x80, 0xff]) {
      if (!isImageByte(image, byte)) continue;
      const damaged = image.slice();
      damaged[byte]! ^= mask;
      if (isRefused(index, damaged)) continue;
      exercise(index, all, queries);
      index = makeIndex(SMALL);
    }
  loadGraph(index, image);
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
  saveGraph(index);
}

test('an index that is opened takes no memory ahead', () => {
  const config = { dimensions: 16, metric: 'dot', m: 8, efConstruction: 20 } as const;
  const next = gaussian(9);
  const all = Array.from({ length: 10_000 }, () => Float32Array.from({ length: 16 }, next));
  const built = makeIndex(config);
  built.spareMemory();
  for (const [row, vector] of all.entries()) built.add(row, vector);
  linkAll(built);
  const opened = makeIndex(config);
  opened.reserve(all.length);
  loadGraph(opened, saveGraph(built));
  for (const [row, vector] of all.entries()) opened.add(row, vector);
  expect(opened.search(all[5]!, 1, 20)).toEqual(built.search(all[5]!, 1, 20));
  expect(opened.memoryBytes).toBeLessThan(1.03 * built.memoryBytes);
});

import assert from 'node:assert/strict';
import type { Metric } from '../../src/base/api.ts';
import { createVectorIndex } from '../../src/search/kernel-index.ts';
import type { Neighbours, VectorIndex, VectorIndexConfig } from '../../src/search/vector-index.ts';
import { KERNEL, loadModule } from '../wasm/load.ts';

const kernel = loadModule(KERNEL);

export const METRICS: Metric[] = ['cosine', 'dot', 'euclidean'];

export function makeIndex(config: Partial<VectorIndexConfig> = {}): VectorIndex {
  return createVectorIndex(kernel, { ...DEFAULTS, ...config });
}

const DEFAULTS: VectorIndexConfig = {
  dimensions: 4,
  metric: 'euclidean',
  type: 'hnsw',
  m: 8,
  efConstruction: 64,
};

/** In float64: what the distance really is. */
export function trueDistance(metric: Metric, a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let squareA = 0;
  let squareB = 0;
  let squareDifference = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    squareA += a[i]! ** 2;
    squareB += b[i]! ** 2;
    squareDifference += (a[i]! - b[i]!) ** 2;
  }
  if (metric === 'dot') return -dot;
  if (metric === 'euclidean') return Math.sqrt(squareDifference);
  return 1 - dot / Math.sqrt(squareA * squareB);
}

/** What float32 arithmetic may be off by. */
function tolerance(metric: Metric, a: Float32Array, b: Float32Array): number {
  if (metric === 'cosine') return 1e-5;
  const magnitude = Math.hypot(...a) * Math.hypot(...b);
  return metric === 'dot' ? 1e-5 * magnitude + 1e-9 : 1e-3 * Math.sqrt(magnitude) + 1e-6;
}

/** Checks all that holds of any answer: rows held, once each, in order, with their true distances. */
export function expectSound(
  found: Neighbours,
  model: ReadonlyMap<number, Float32Array>,
  metric: Metric,
  query: Float32Array,
): void {
  assert.equal(new Set(found.rows).size, found.rows.length, 'a row stands in the answer twice');
  assert.equal(found.distances.length, found.rows.length);
  for (const [i, row] of found.rows.entries()) {
    const vector = model.get(row);
    assert(vector, `row ${row} is not held`);
    const distance = found.distances[i]!;
    const expected = trueDistance(metric, vector, query);
    assert(
      Math.abs(distance - expected) <= tolerance(metric, vector, query),
      `distance ${distance} of row ${row} is ${expected}`,
    );
    if (i === 0) continue;
    const before = found.distances[i - 1]!;
    assert(before < distance || (before === distance && found.rows[i - 1]! < row), `order at ${i}`);
  }
}

/** Checks an exact answer: sound, and no row left out that is nearer than the last. */
export function expectExact(
  found: Neighbours,
  model: ReadonlyMap<number, Float32Array>,
  metric: Metric,
  query: Float32Array,
  topK: number,
): void {
  expectSound(found, model, metric, query);
  assert.equal(found.rows.length, Math.min(topK, model.size));
  if (found.rows.length === model.size) return;
  const last = found.distances.at(-1)!;
  const answered = new Set(found.rows);
  for (const [row, vector] of model) {
    if (answered.has(row)) continue;
    const left = trueDistance(metric, vector, query);
    assert(
      left >= last - tolerance(metric, vector, query),
      `row ${row} at ${left} was left out for one at ${last}`,
    );
  }
}

/** The share of the exact answers that the graph finds. */
export function recall(index: VectorIndex, queries: Float32Array[], topK: number, ef: number): number {
  let hits = 0;
  let wanted = 0;
  for (const query of queries) {
    const exact = index.scan(query, topK).rows;
    const found = new Set(index.search(query, topK, ef).rows);
    wanted += exact.length;
    for (const row of exact) if (found.has(row)) hits++;
  }
  return hits / wanted;
}

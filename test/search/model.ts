import assert from 'node:assert/strict';
import type { Metric } from '../../src/base/api.ts';
import { type BulkVectorIndex, createBulkIndex } from '../../src/search/bulk-index.ts';
import { HnswlibIndex } from '../../src/search/hnswlib-index.ts';
import { startHnswlib } from '../../src/search/hnswlib-library.ts';
import { createVectorIndex, type KernelVectorIndex } from '../../src/search/kernel-index.ts';
import {
  GRAPH_HEADER_BYTES,
  GRAPH_PIECE_BYTES_MAX,
  type Neighbours,
  type VectorIndex,
  type VectorIndexConfig,
} from '../../src/search/vector-index.ts';
import { CODES_KERNEL, KERNEL, loadModule, TEST_KERNEL } from '../wasm/load.ts';

const kernel = loadModule(KERNEL);
const codesKernel = loadModule(CODES_KERNEL);
const testKernel = loadModule(TEST_KERNEL);

export const METRICS: Metric[] = ['cosine', 'dot', 'euclidean'];

export function makeIndex(config: Partial<VectorIndexConfig> = {}): KernelVectorIndex {
  const { quantization = 'none', linkCodes } = config;
  if (quantization !== 'none') return makeBulkIndex({ ...config, quantization });
  return createVectorIndex(linkCodes ? codesKernel : kernel, { ...DEFAULTS, ...config });
}

/** One that takes in by the block what is read from files. */
export function makeBulkIndex(config: Partial<VectorIndexConfig> = {}): BulkVectorIndex {
  return createBulkIndex(codesKernel, { ...DEFAULTS, ...config });
}

/** One that puts pending rows in order before it links them, however few they are. */
export function makeArrangingIndex(config: Partial<VectorIndexConfig> = {}): KernelVectorIndex {
  return createVectorIndex(testKernel, { ...DEFAULTS, ...config });
}

let library: ReturnType<typeof startHnswlib> | undefined;

/** The other engine. All in one instance of its library, which takes 50 ms to start. */
export async function makeHnswlibIndex(config: Partial<VectorIndexConfig> = {}): Promise<VectorIndex> {
  library ??= startHnswlib();
  return new HnswlibIndex(await library, { ...DEFAULTS, ...config });
}

const DEFAULTS: VectorIndexConfig = {
  dimensions: 4,
  metric: 'euclidean',
  type: 'hnsw',
  m: 8,
  efConstruction: 64,
  quantization: 'none',
};

/** The image of its graph in one array: the header, then the sections, each behind its length. */
export function saveGraph(index: VectorIndex): Uint8Array {
  const { header, sections, read } = index.readGraph!();
  const pieces: Uint8Array[] = [header];
  for (const [section, length] of sections.entries()) {
    pieces.push(new Uint8Array(Uint32Array.of(length).buffer));
    for (let offset = 0; offset < length; offset += GRAPH_PIECE_BYTES_MAX)
      pieces.push(read(section, offset, Math.min(GRAPH_PIECE_BYTES_MAX, length - offset)).slice());
  }
  return new Uint8Array(Buffer.concat(pieces));
}

export function loadGraph(index: VectorIndex, image: Uint8Array): void {
  const graph = index.openGraph!(image.slice(0, GRAPH_HEADER_BYTES), image.length);
  let at = GRAPH_HEADER_BYTES;
  for (const section of graph.sections.keys()) {
    const end = at + 4 + new DataView(image.buffer, image.byteOffset + at, 4).getUint32(0, true);
    at += 4;
    for (let offset = 0; at < end; ) {
      const piece = image.subarray(at, Math.min(at + GRAPH_PIECE_BYTES_MAX, end));
      graph.write(section, offset, piece);
      at += piece.length;
      offset += piece.length;
    }
  }
  index.acceptGraph!();
}

/** Where a byte of such an image belongs to the image itself. */
export function isImageByte(image: Uint8Array, byte: number): boolean {
  for (let at = GRAPH_HEADER_BYTES; at < image.length; ) {
    if (byte >= at && byte < at + 4) return false;
    at += 4 + new DataView(image.buffer, image.byteOffset + at, 4).getUint32(0, true);
  }
  return true;
}

/** What an index must answer, and by how much float32 arithmetic may be off. */
export interface Oracle {
  distance(a: Float32Array, b: Float32Array): number;
  tolerance(a: Float32Array, b: Float32Array): number;
}

type Measured = Pick<VectorIndexConfig, 'metric'> & Partial<VectorIndexConfig>;

export function oracleOf(config: Measured): Oracle {
  const { metric, quantization } = config;
  if (quantization === 'int8') return int8Oracle(config);
  if (quantization === 'binary') return binaryOracle(metric);
  return {
    distance: (a, b) => trueDistance(metric, a, b),
    tolerance: (a, b) => tolerance(metric, a, b),
  };
}

/** In float64: what the distance really is. */
function trueDistance(metric: Metric, a: Float32Array, b: Float32Array): number {
  const { dot, squareA, squareB, squareDifference } = sums(a, b);
  if (metric === 'dot') return -dot;
  if (metric === 'euclidean') return Math.sqrt(squareDifference);
  return 1 - dot / Math.sqrt(squareA * squareB);
}

function sums(a: Float32Array, b: Float32Array) {
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
  return { dot, squareA, squareB, squareDifference };
}

function tolerance(metric: Metric, a: Float32Array, b: Float32Array): number {
  if (metric === 'cosine') return 1e-5;
  const magnitude = Math.hypot(...a) * Math.hypot(...b);
  return metric === 'dot' ? 1e-5 * magnitude + 1e-9 : 1e-3 * Math.sqrt(magnitude) + 1e-6;
}

/** Binary codes give estimates; their standard error for the few dimensions of a model is an eighth of it. */
function binaryOracle(metric: Metric): Oracle {
  const error = (a: Float32Array, b: Float32Array): number => {
    const product = metric === 'cosine' ? 1 : Math.hypot(...a) * Math.hypot(...b);
    return metric === 'euclidean' ? Math.sqrt(2 * product) : product;
  };
  return { distance: (a, b) => trueDistance(metric, a, b), tolerance: error };
}

/** Sums of whole numbers are exact: what may be off is their rounding to float32, once, and the scale. */
function int8Oracle({ metric, calibration }: Measured): Oracle {
  const distance = (a: Float32Array, b: Float32Array): number => {
    const scale = Math.fround(127 / Math.fround(calibration!.clip));
    const { dot, squareDifference } = sums(int8Code(metric, scale, a), int8Code(metric, scale, b));
    if (metric === 'euclidean') return Math.sqrt(squareDifference) / scale;
    return metric === 'dot' ? -dot / scale ** 2 : Math.max(0, 1 - dot / scale ** 2);
  };
  return { distance, tolerance: (a, b) => 1e-6 * (1 + Math.abs(distance(a, b))) };
}

function int8Code(metric: Metric, scale: number, vector: Float32Array): Float32Array {
  const length = metric === 'cosine' ? Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) : 1;
  return vector.map((value) => {
    const scaled = roundHalfToEven(Math.fround(Math.fround(value * (1 / length)) * scale));
    return Math.max(-127, Math.min(127, scaled));
  });
}

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Checks all that holds of any answer: rows held, once each, in order, with the distances that they must have. */
export function expectSound(
  found: Neighbours,
  model: ReadonlyMap<number, Float32Array>,
  oracle: Oracle,
  query: Float32Array,
): void {
  assert.equal(new Set(found.rows).size, found.rows.length, 'a row stands in the answer twice');
  assert.equal(found.distances.length, found.rows.length);
  for (const [i, row] of found.rows.entries()) {
    const vector = model.get(row);
    assert(vector, `row ${row} is not held`);
    const distance = found.distances[i]!;
    const expected = oracle.distance(vector, query);
    assert(
      Math.abs(distance - expected) <= oracle.tolerance(vector, query),
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
  oracle: Oracle,
  query: Float32Array,
  topK: number,
): void {
  expectSound(found, model, oracle, query);
  assert.equal(found.rows.length, Math.min(topK, model.size));
  if (found.rows.length === model.size) return;
  const last = found.distances.at(-1)!;
  const answered = new Set(found.rows);
  for (const [row, vector] of model) {
    if (answered.has(row)) continue;
    const left = oracle.distance(vector, query);
    assert(
      left >= last - oracle.tolerance(vector, query),
      `row ${row} at ${left} was left out for one at ${last}`,
    );
  }
}

/** Until the graph has caught up. */
export function linkAll(index: VectorIndex): void {
  while (index.backlogCount > 0) index.link(1000);
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

/**
 * How fast exact scans read memory, beside a plain SIMD sum of as much: `npx tsx bench/scan.ts`, after a build.
 * Both take turns, over more than any cache holds; the best of each counts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Quantization } from '../src/base/api.ts';
import { createVectorIndex } from '../src/search/kernel-index.ts';
import { rootFolder } from './folders.ts';

const CODE_BYTES = 128 * 1024 * 1024;
const ROUNDS = 15;
const TOP_K = 10;
const CASES: [Quantization, number][] = [
  ['none', 100],
  ['none', 384],
  ['none', 768],
  ['none', 1536],
  ['int8', 100],
  ['int8', 384],
  ['int8', 768],
];

const compile = (file: string) => new WebAssembly.Module(readFileSync(join(rootFolder, file)));

/** Sums up memory of its own. */
function makeSum(): () => void {
  const { memory, twin_sum } = new WebAssembly.Instance(compile('wasm/build/isovec-test.wasm')).exports as {
    memory: WebAssembly.Memory;
    twin_sum(address: number, bytes: number): number;
  };
  const address = memory.grow(CODE_BYTES / 65_536) * 65_536;
  new Uint32Array(memory.buffer, address, CODE_BYTES / 4).fill(1);
  return () => twin_sum(address, CODE_BYTES);
}

function makeScan(quantization: Quantization, dimensions: number): { count: number; scan: () => void } {
  const index = createVectorIndex(compile('src/runtime/isovec-codes.wasm'), {
    dimensions,
    metric: 'cosine',
    type: 'flat',
    m: 16,
    efConstruction: 100,
    quantization,
  });
  const count = Math.floor(CODE_BYTES / codeBytes(quantization, dimensions));
  const vector = Float32Array.from({ length: dimensions }, (_, i) => Math.sin(i + 1));
  index.reserve(count);
  for (let row = 0; row < count; row++) {
    vector[row % dimensions] = Math.sin(row);
    index.add(row, vector);
  }
  return { count, scan: () => index.scan(vector, TOP_K) };
}

function codeBytes(quantization: Quantization, dimensions: number): number {
  return quantization === 'int8' ? Math.ceil(dimensions / 16) * 16 : dimensions * 4;
}

function timeMs(action: () => void): number {
  const startMs = performance.now();
  action();
  return performance.now() - startMs;
}

const sum = makeSum();
console.log('quantization  dimensions  ns/vector   GB/s  sum GB/s  share');
for (const [quantization, dimensions] of CASES) {
  const { count, scan } = makeScan(quantization, dimensions);
  let scanMs = Number.POSITIVE_INFINITY;
  let sumMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    scanMs = Math.min(scanMs, timeMs(scan));
    sumMs = Math.min(sumMs, timeMs(sum));
  }
  const scanned = (count * codeBytes(quantization, dimensions)) / scanMs / 1e6;
  const summed = CODE_BYTES / sumMs / 1e6;
  const cells = [
    quantization.padEnd(12),
    String(dimensions).padStart(10),
    ((scanMs / count) * 1e6).toFixed(1).padStart(9),
    scanned.toFixed(1).padStart(5),
    summed.toFixed(1).padStart(8),
    `${Math.round((100 * scanned) / summed)}%`.padStart(5),
  ];
  console.log(cells.join('  '));
}

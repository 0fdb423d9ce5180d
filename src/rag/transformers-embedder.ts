import { checkNotAborted } from '../base/abort.ts';
import {
  aBoolean,
  aFunction,
  aName,
  anObject,
  prefixes as arePrefixes,
  aWholeNumber,
  type Checks,
  checkFields,
  oneOf,
  optional,
} from './check.ts';
import { checkVectors } from './check-vectors.ts';
import type { Embedder, EmbedPurpose, TextPrefixes } from './embedder.ts';
import { missingPeer } from './missing-peer.ts';

/** A 'feature-extraction' pipeline of `@huggingface/transformers`. */
export type FeatureExtraction = (
  texts: string[],
  options: { pooling: Pooling; normalize: boolean },
) => Promise<{
  /** Numbers, from every model that makes embeddings. */
  data: ArrayLike<unknown>;
  dims: number[];
}>;

export type Pooling = 'mean' | 'cls' | 'last_token';

/** The module `@huggingface/transformers`, as far as it is used here. */
export interface TransformersModule {
  pipeline(
    task: 'feature-extraction',
    model: string,
    options?: Record<string, unknown>,
  ): Promise<FeatureExtraction>;
}

export interface TransformersOptions {
  /** As it is called on the Hugging Face hub, or its path: 'Xenova/all-MiniLM-L6-v2'. */
  model: string;
  /** A pipeline of that model, when you have one. */
  pipeline?: FeatureExtraction;
  /** What makes the pipeline otherwise. Default: `import('@huggingface/transformers')`. */
  module?: TransformersModule;
  /** For making it: `dtype`, `device`, `revision` and so on. */
  pipelineOptions?: Record<string, unknown>;
  /** What the model was trained with. Default 'mean'. */
  pooling?: Pooling;
  /** Default true. */
  normalize?: boolean;
  /** What is put before documents and queries. Default: nothing. */
  prefixes?: TextPrefixes;
  /** Texts that go through the model together. Default 16. */
  batchSize?: number;
  /** Default: made of the model, its `dtype` and `revision`, pooling, normalizing and prefixes. */
  fingerprint?: string;
}

const BATCH_TEXTS = 16;

const OPTIONS: Checks<TransformersOptions> = {
  model: aName,
  pipeline: optional(aFunction),
  module: optional(aModule),
  pipelineOptions: optional(anObject),
  pooling: optional(oneOf(['mean', 'cls', 'last_token'])),
  normalize: optional(aBoolean),
  prefixes: optional(arePrefixes),
  batchSize: optional(aWholeNumber(1)),
  fingerprint: optional(aName),
};

/**
 * An embedding model of `@huggingface/transformers`, which you install beside isovec. Texts longer than the model takes are
 * cut off by it: split them by its tokens.
 * @throws IsovecError INVALID_ARGUMENT, UNSUPPORTED where the package is missing
 */
export async function transformersEmbedder(options: TransformersOptions): Promise<Embedder> {
  checkFields(options, 'options', OPTIONS);
  const { pooling = 'mean', normalize = true, prefixes = {}, batchSize = BATCH_TEXTS } = options;
  const { fingerprint = fingerprintOf(options) } = options;
  const extract = options.pipeline ?? (await makePipeline(options));
  const embedBatch = async (texts: string[], purpose: EmbedPurpose): Promise<Float32Array[]> => {
    const prefix = prefixes[purpose] ?? '';
    const { data, dims } = await extract(
      texts.map((text) => prefix + text),
      { pooling, normalize },
    );
    return rowsOf(data, dims);
  };
  const [sample] = await embedBatch(['dimensions'], 'document');
  const dimensions = sample!.length;
  return {
    fingerprint,
    dimensions,
    async embed(texts, { signal, purpose = 'document' } = {}) {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += batchSize) {
        checkNotAborted(signal);
        vectors.push(...(await embedBatch(texts.slice(at, at + batchSize), purpose)));
      }
      checkVectors(vectors, texts.length, dimensions, fingerprint);
      return vectors;
    },
  };
}

async function makePipeline({
  module,
  model,
  pipelineOptions,
}: TransformersOptions): Promise<FeatureExtraction> {
  const { pipeline } = module ?? (await importTransformers());
  return pipeline('feature-extraction', model, pipelineOptions);
}

/** Within `try` a bundler that does not find the package only warns. */
async function importTransformers(): Promise<TransformersModule> {
  try {
    return await import('@huggingface/transformers');
  } catch (cause) {
    throw missingPeer('@huggingface/transformers', cause);
  }
}

function fingerprintOf(options: TransformersOptions): string {
  const { model, pipelineOptions = {}, pooling = 'mean', normalize = true, prefixes = {} } = options;
  const { dtype = 'default', revision = 'main' } = pipelineOptions;
  const variant = [revision, dtype, pooling, normalize ? 'normalized' : 'raw'].map(String);
  const texts = [prefixes.document, prefixes.query].map((prefix = '') => JSON.stringify(prefix));
  return ['transformers', model, ...variant, ...texts].join(' ');
}

/** A matrix in one array, as one array a row. */
function rowsOf(data: ArrayLike<unknown>, dims: readonly number[]): Float32Array[] {
  const [rows = 0, columns = 0] = dims;
  const all = Float32Array.from(data as ArrayLike<number>);
  return Array.from({ length: rows }, (_, row) => all.slice(row * columns, (row + 1) * columns));
}

function aModule(module: unknown, path: string): void {
  anObject(module, path);
  aFunction((module as Partial<TransformersModule>).pipeline, `${path}.pipeline`);
}

import type { Calibration } from '../search/calibration.ts';
import { createVectorIndex } from '../search/kernel-index.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import type { ResolvedConfig } from './config.ts';
import type { Kernels } from './kernels.ts';

/**
 * An empty index for a collection.
 * @throws IsovecError UNSUPPORTED where its engine is missing or cannot run; QUOTA_EXCEEDED; STORAGE_IO where a kernel
 *         cannot be loaded
 */
export async function makeIndex(
  kernels: Kernels,
  { dimensions, metric, quantization, index }: ResolvedConfig,
  calibration?: Calibration,
): Promise<VectorIndex> {
  const { engine, type, m, efConstruction, linkCodes } = index;
  const config = {
    dimensions,
    metric,
    quantization,
    type,
    m,
    efConstruction,
    ...(linkCodes && { linkCodes }),
    ...(calibration && { calibration }),
  };
  const isPlain = engine === undefined && quantization === 'none' && !linkCodes;
  if (isPlain && !(kernels.threads && type === 'hnsw'))
    return createVectorIndex(await kernels.load(quantization), config);
  const { makeOtherIndex } = await import('./on-demand.ts');
  return makeOtherIndex(kernels, config, engine);
}

/** An empty index that holds vectors and answers exactly. @throws IsovecError QUOTA_EXCEEDED */
export async function makeFlatIndex(
  kernels: Kernels,
  { dimensions, metric }: Pick<ResolvedConfig, 'dimensions' | 'metric'>,
): Promise<VectorIndex> {
  const flat = { type: 'flat', m: 0, efConstruction: 0, quantization: 'none' } as const;
  return createVectorIndex(await kernels.load('none'), { dimensions, metric, ...flat });
}

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
  const { engine, type, m, efConstruction } = index;
  if (engine === undefined)
    return createVectorIndex(await kernels.load(quantization === 'none' ? 'float32' : 'codes'), {
      dimensions,
      metric,
      quantization,
      type,
      m,
      efConstruction,
      ...(calibration && { calibration }),
    });
  const { createHnswlibIndex } = await import('./on-demand.ts');
  return createHnswlibIndex({ dimensions, metric, m, efConstruction });
}

/** An empty index that holds vectors and answers exactly. @throws IsovecError QUOTA_EXCEEDED */
export async function makeFlatIndex(
  kernels: Kernels,
  { dimensions, metric }: Pick<ResolvedConfig, 'dimensions' | 'metric'>,
): Promise<VectorIndex> {
  const flat = { type: 'flat', m: 0, efConstruction: 0, quantization: 'none' } as const;
  return createVectorIndex(await kernels.load('float32'), { dimensions, metric, ...flat });
}

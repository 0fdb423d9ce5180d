import type { Calibration } from '../search/calibration.ts';
import { createVectorIndex } from '../search/kernel-index.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import type { ResolvedConfig } from './config.ts';

/**
 * An empty index for a collection.
 * @throws IsovecError UNSUPPORTED where its engine is missing or cannot run; QUOTA_EXCEEDED
 */
export async function makeIndex(
  kernel: WebAssembly.Module,
  { dimensions, metric, quantization, index }: ResolvedConfig,
  calibration?: Calibration,
): Promise<VectorIndex> {
  const { engine, type, m, efConstruction } = index;
  if (engine === undefined)
    return createVectorIndex(kernel, {
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

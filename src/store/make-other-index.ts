import { createHnswlibIndex } from '../search/hnswlib-index.ts';
import { createVectorIndex } from '../search/kernel-index.ts';
import { createThreadedIndex } from '../search/threaded-kernel.ts';
import type { VectorIndex, VectorIndexConfig } from '../search/vector-index.ts';
import type { Kernels } from './kernels.ts';

/** An index of another engine, or a graph that several threads build. As `makeIndex`. */
export async function makeOtherIndex(
  kernels: Kernels,
  config: VectorIndexConfig,
  engine: string | undefined,
): Promise<VectorIndex> {
  if (engine !== undefined) return createHnswlibIndex(config);
  const threaded = kernels.threads && createThreadedIndex(kernels.threads, config);
  return threaded ?? createVectorIndex(await kernels.load(config.quantization), config);
}

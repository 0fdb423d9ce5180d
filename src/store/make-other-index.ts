import { createBulkIndex } from '../search/bulk-index.ts';
import { createHnswlibIndex } from '../search/hnswlib-index.ts';
import { createVectorIndex } from '../search/kernel-index.ts';
import { createThreadedIndex } from '../search/threaded-kernel.ts';
import type { VectorIndex, VectorIndexConfig } from '../search/vector-index.ts';
import type { Kernels } from './kernels.ts';

/** An index of another engine, or of codes, or a graph that several threads build. As `makeIndex`. */
export async function makeOtherIndex(
  kernels: Kernels,
  config: VectorIndexConfig,
  engine: string | undefined,
): Promise<VectorIndex> {
  if (engine !== undefined) return createHnswlibIndex(config);
  const threaded = kernels.threads && config.type === 'hnsw' && createThreadedIndex(kernels.threads, config);
  if (threaded) return threaded;
  const isPlain = config.quantization === 'none' && !config.linkCodes;
  const create = isPlain ? createVectorIndex : createBulkIndex;
  return create(await kernels.load(config.quantization, config.linkCodes), config);
}

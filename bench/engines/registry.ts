/** Every contestant that runs in a Node process, by name. */
import { join } from 'node:path';
import { EF_CONSTRUCTION, EF_CONSTRUCTION_EQUAL_RECALL, type Engine } from '../engine.ts';
import { dataFolder } from '../folders.ts';
import type { Quantization } from './isovec.ts';

export const NODE_ENGINES = [
  'isovec',
  'isovec-int8',
  'isovec-link-codes',
  'isovec-int8-link-codes',
  'isovec-fast-build',
  'isovec-int8-fast-build',
  'isovec-kernel',
  'hnswlib-node',
  'usearch-f32',
  'usearch-i8',
  'hnswlib-wasm',
  'edgevec',
] as const;
export type NodeEngineName = (typeof NODE_ENGINES)[number];

/** Imports only what this engine needs, so that no other engine's code is in its process. */
export async function createNodeEngine(name: NodeEngineName): Promise<Engine> {
  switch (name) {
    case 'isovec':
      return createIsovec('none');
    case 'isovec-int8':
      return createIsovec('int8');
    case 'isovec-link-codes':
      return createIsovec('none', EF_CONSTRUCTION, true);
    case 'isovec-int8-link-codes':
      return createIsovec('int8', EF_CONSTRUCTION, true);
    case 'isovec-fast-build':
      return createIsovec('none', EF_CONSTRUCTION_EQUAL_RECALL);
    case 'isovec-int8-fast-build':
      return createIsovec('int8', EF_CONSTRUCTION_EQUAL_RECALL);
    case 'isovec-kernel':
      return new (await import('./isovec-kernel.ts')).IsovecKernelEngine() as Engine;
    case 'hnswlib-node':
      return new (await import('./hnswlib-node.ts')).HnswlibNodeEngine() as Engine;
    case 'usearch-f32':
      return new (await import('./usearch.ts')).UsearchEngine('f32') as Engine;
    case 'usearch-i8':
      return new (await import('./usearch.ts')).UsearchEngine('i8') as Engine;
    case 'hnswlib-wasm':
      return new (await import('./hnswlib-wasm.ts')).HnswlibWasmEngine() as Engine;
    case 'edgevec':
      return new (await import('./edgevec.ts')).EdgeVecEngine() as Engine;
  }
}

async function createIsovec(
  quantization: Quantization,
  efConstruction = EF_CONSTRUCTION,
  linkCodes = false,
): Promise<Engine> {
  const [{ IsovecEngine }, isovec] = await Promise.all([
    import('./isovec.ts'),
    import('../../dist/index.node.js'),
  ]);
  const location = join(dataFolder, `isovec-${process.pid}`);
  return new IsovecEngine(isovec, location, quantization, efConstruction, linkCodes) as Engine;
}

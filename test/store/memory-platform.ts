import { readFile } from 'node:fs/promises';
import { GrowableBytes, MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';
import type { KernelVariant, Platform } from '../../src/store/platform.ts';
import { MemoryLocks } from '../storage/memory-locks.ts';

const compile = async (file: string): Promise<WebAssembly.Module> =>
  WebAssembly.compile(await readFile(new URL(`../../src/runtime/${file}`, import.meta.url)));

const KERNELS: Record<KernelVariant, Promise<WebAssembly.Module>> = {
  float32: compile('isovec.wasm'),
  codes: compile('isovec-codes.wasm'),
};

/** Compiled once for all tests of a process. */
export const loadKernel = (variant: KernelVariant) => KERNELS[variant];

/** What a crash leaves: the bytes as they are now. */
export function copyOfFiles(files: MemoryFiles): MemoryFiles {
  const copy = new MemoryFiles();
  for (const [name, content] of files) {
    const bytes = new GrowableBytes();
    bytes.write(0, content.copy(0, content.length));
    copy.set(name, bytes);
  }
  return copy;
}

/**
 * Memory that outlives a database, so that it can be closed and opened again.
 * @param wrap puts something between the store and the files
 */
export function memoryPlatform(
  files: Map<string, MemoryFiles>,
  wrap: (backend: StorageBackend) => StorageBackend = (backend) => backend,
): Platform {
  return {
    async storage() {
      const filesOf = (location: string) => {
        const found = files.get(location) ?? new MemoryFiles();
        files.set(location, found);
        return found;
      };
      return {
        locks: new MemoryLocks(),
        provider: {
          kind: 'memory',
          open: async (location, { readOnly }) =>
            wrap(new MemoryBackend(location, filesOf(location), readOnly)),
          exists: async (location) => files.has(location),
          destroy: async (location) => {
            files.delete(location);
          },
        },
      };
    },
    loadKernel,
    yieldTurn: (callback) => {
      setImmediate(callback);
    },
  };
}

import { readFile } from 'node:fs/promises';
import { MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';
import type { Platform } from '../../src/store/platform.ts';
import { MemoryLocks } from '../storage/memory-locks.ts';

const kernel = readFile(new URL('../../src/runtime/isovec.wasm', import.meta.url)).then((bytes) =>
  WebAssembly.compile(bytes),
);

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
    loadKernel: () => kernel,
    yieldTurn: (callback) => {
      setImmediate(callback);
    },
  };
}

import { placeMissing } from '../../src/storage/failures.ts';
import { MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend, StorageKind, StorageProvider } from '../../src/storage/storage.ts';

/** Keeps what its places hold, as a device would, so that the whole contract can be asked of memory too. */
export class KeepingProvider implements StorageProvider {
  readonly kind: StorageKind = 'memory';
  readonly #places = new Map<string, MemoryFiles>();

  async open(location: string, options: { create: boolean; readOnly: boolean }): Promise<StorageBackend> {
    let files = this.#places.get(location);
    if (!files) {
      if (!options.create || options.readOnly) throw placeMissing(location);
      files = new MemoryFiles();
      this.#places.set(location, files);
    }
    return new MemoryBackend(location, files, options.readOnly);
  }

  async exists(location: string): Promise<boolean> {
    return this.#places.has(location);
  }

  async destroy(location: string): Promise<void> {
    this.#places.delete(location);
  }
}

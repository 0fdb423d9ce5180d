import { describe, expect, it } from 'vitest';
import { placeMissing } from '../../src/storage/failures.ts';
import { MemoryBackend, MemoryFiles, MemoryProvider } from '../../src/storage/memory.ts';
import type { StorageBackend, StorageKind, StorageProvider } from '../../src/storage/storage.ts';
import { describeStorage } from './contract.ts';
import { failsWith, someBytes } from './helpers.ts';

/** Keeps what its places hold, as a device would, so that the whole contract can be asked of memory too. */
class KeepingProvider implements StorageProvider {
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

let locations = 0;

describeStorage({
  kind: 'memory',
  capabilities: { persistent: false, durableFlush: false, sharedReads: true, sharedWrites: true },
  makeProvider: () => new KeepingProvider(),
  newLocation: () => `place-${locations++}`,
  badLocations: [],
});

describe('the memory provider', () => {
  it('opens a fresh, private place each time', async () => {
    const provider = new MemoryProvider();
    const one = await provider.open('label', { create: true, readOnly: false });
    const other = await provider.open('label', { create: true, readOnly: false });
    await one.replace('whole', someBytes(5));
    expect(await other.load('whole')).toBeUndefined();
    expect(await provider.exists('label')).toBe(false);
    await provider.destroy('label');
    expect(await one.load('whole')).toEqual(someBytes(5));
  });

  it('finds nothing to open where nothing may be made', async () => {
    const provider = new MemoryProvider();
    for (const options of [
      { create: false, readOnly: false },
      { create: true, readOnly: true },
    ])
      await expect(provider.open('label', options)).rejects.toEqual(failsWith('NOT_FOUND'));
  });
});

import { expect, it } from 'vitest';
import { IsovecError } from '../../../src/base/errors.ts';
import type { MemoryFiles } from '../../../src/storage/memory.ts';
import type { StorageBackend } from '../../../src/storage/storage.ts';
import { openLocal } from '../../../src/store/open.ts';
import { memoryPlatform } from '../memory-platform.ts';

/** The second of a place's text files cannot be opened as long as `isFailing`. */
class Failing {
  isFailing = false;
  readonly #names = new Set<string>();

  of(backend: StorageBackend): StorageBackend {
    const { open } = backend;
    backend.open = async (name, options) => {
      if (name.includes('text')) this.#names.add(name);
      if (this.isFailing && [...this.#names].indexOf(name) === 1)
        throw new IsovecError('STORAGE_IO', `${name} is not to be read now`);
      return open.call(backend, name, options);
    };
    return backend;
  }
}

it('scores as before once segments can be read that could not be read at first', async () => {
  const files = new Map<string, MemoryFiles>();
  const failing = new Failing();
  const database = await openLocal(memoryPlatform(files), 'place', {});
  const collection = await database.collection('c', { dimensions: 1, text: true });
  for (const count of [200, 20]) {
    await collection.insert(
      Array.from({ length: count }, (_, at) => ({
        id: `${count}-${at}`,
        vector: [1],
        text: `harbour ${'quiet '.repeat((at + count) % 17)}`,
      })),
    );
    await database.checkpoint();
  }
  const query = { text: 'quiet harbour', topK: 1000 };
  const before = await collection.query(query);
  await database.close();

  const again = await openLocal(
    memoryPlatform(files, (backend) => failing.of(backend)),
    'place',
    {},
  );
  const there = await again.collection('c');
  failing.isFailing = true;
  await expect(there.query(query)).rejects.toThrow('not to be read now');
  failing.isFailing = false;
  expect(await there.query(query)).toEqual(before);
  await again.close();
});

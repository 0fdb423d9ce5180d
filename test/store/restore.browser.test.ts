// The built package: on OPFS it is the worker that restores.
import { describe } from 'vitest';
import { open, restore } from '../../dist/index.js';
import { restoring } from './restoring.ts';

for (const storage of ['opfs', 'indexeddb'] as const)
  describe(`restore in a browser, on ${storage}`, () => {
    const run = crypto.randomUUID();
    const place = (name: string) => (name === '\0' ? name : `${name}-${run}`);
    restoring(
      async (name, options) => open(place(name), { storage, ...options }),
      async (source, destination, options) =>
        restore(place(source), place(destination), { storage, ...options }),
    );
  });

/** Vite plugin: gives the service worker the list of every file that the app needs offline. */
import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

export const SERVICE_WORKER = 'service-worker.js';

/** Stands in the service worker's source where the list goes. */
const PLACEHOLDER = /["'`]__PRECACHE__["'`]/;

/** The optional engine, bundled because it is installed for the tests, and threads for pages that are cross-origin isolated:
 *  this demo never asks for them. */
const NEVER_USED = /\bhnswlib-|\bisovec-threads-|\bbrowser-(helper|threads)-/;

export function precache(): Plugin {
  return {
    name: 'precache',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      // Last, when every other plugin has laid down its files.
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle[SERVICE_WORKER];
        if (worker?.type !== 'chunk') throw new Error(`the build made no ${SERVICE_WORKER}`);
        const files = Object.values(bundle).filter(
          ({ fileName }) =>
            fileName !== SERVICE_WORKER && !fileName.endsWith('.map') && !NEVER_USED.test(fileName),
        );
        const hash = createHash('sha256');
        for (const file of files) hash.update(file.type === 'chunk' ? file.code : file.source);
        const list = {
          version: hash.digest('hex').slice(0, 12),
          files: files.map((file) => file.fileName).sort(),
        };
        worker.code = worker.code.replace(PLACEHOLDER, JSON.stringify(list));
      },
    },
  };
}

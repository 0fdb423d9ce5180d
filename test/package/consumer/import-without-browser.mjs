/** Imports the browser's entry where there is no browser, as server-side rendering does, and watches what it touches. */
const BROWSER_GLOBALS = [
  'window',
  'document',
  'navigator',
  'location',
  'self',
  'Worker',
  'SharedWorker',
  'indexedDB',
  'caches',
  'localStorage',
  'sessionStorage',
];

const touched = new Set();
for (const name of BROWSER_GLOBALS) {
  Object.defineProperty(globalThis, name, {
    get: () => {
      touched.add(name);
      return undefined;
    },
  });
}
// By its path, because Node would choose the entry for Node.
const { open } = await import('./node_modules/isovec/dist/index.js');
const { splitText } = await import('./node_modules/isovec/dist/rag/index.js');
if (touched.size > 0) throw new Error(`Importing isovec touched ${[...touched].join(', ')}`);
if (typeof open !== 'function') throw new Error('isovec does not export open');
if (typeof splitText !== 'function') throw new Error('isovec/rag does not export splitText');
console.log('OK');

// The built package: a worker is a file of its own, and that is what users run.
import { destroy, open } from '../../dist/index.js';
import { describeStore } from './suite.ts';

for (const storage of ['opfs', 'indexeddb'] as const)
  describeStore({
    name: `a store in a browser, on ${storage}`,
    open: async (location, options) => open(location, { storage, ...options }),
    destroy: (location) => destroy(location, { storage }),
    propertyRuns: 4,
    sharesWriting: true,
  });

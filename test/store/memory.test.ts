import type { MemoryFiles } from '../../src/storage/memory.ts';
import { destroyLocal } from '../../src/store/destroy.ts';
import { openLocal } from '../../src/store/open.ts';
import { checkOpenOptions } from '../../src/store/open-options.ts';
import { memoryPlatform } from './memory-platform.ts';
import { describeStore } from './suite.ts';

const platform = memoryPlatform(new Map<string, MemoryFiles>());

describeStore({
  name: 'a store in memory that outlives its database',
  open: async (location, options = {}) => {
    checkOpenOptions(location, options);
    return openLocal(platform, location, options);
  },
  destroy: (location, options = {}) => destroyLocal(platform, location, options),
  sharesWriting: true,
  propertyRuns: 60,
});

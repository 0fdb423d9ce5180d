import { afterEach } from 'vitest';
import type { Database, OpenOptions } from '../../src/base/api.ts';
import { destroy, open } from '../../src/index.node.ts';

export { WordEmbedder } from './word-embedder.ts';

let count = 0;

/** Opens databases in memory, and closes and removes them after each test. */
export function databases(): (location?: string, options?: OpenOptions) => Promise<Database> {
  const opened: Database[] = [];
  afterEach(async () => {
    const all = opened.splice(0);
    for (const database of all) await database.close();
    for (const { location } of all) await destroy(location, { storage: 'memory' });
  });
  return async (location = `rag-${++count}`, options = {}) => {
    const database = await open(location, { storage: 'memory', ...options });
    opened.push(database);
    return database;
  };
}

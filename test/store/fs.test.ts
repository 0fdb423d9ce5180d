import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { destroy, open } from '../../src/index.node.ts';
import { describeStore } from './suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'isovec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeStore({
  name: 'a store in files',
  open: async (location, options) => open(join(folder, location), options),
  destroy: (location, options) => destroy(join(folder, location), options),
  sharesWriting: true,
  propertyRuns: 15,
});

describe('a store whose folder is removed while it is open', () => {
  it('refuses to write, and does not begin another one', async () => {
    const location = join(folder, 'removed');
    const database = await open(location);
    const collection = await database.collection('c', { dimensions: 1 });
    await collection.insert({ id: 'there', vector: [1] });
    // When it has let go of its turn to write.
    await expect
      .poll(() => readdirSync(join(location, 'isovec.lock')))
      .toEqual([expect.stringMatching(/^free/)]);
    rmSync(location, { recursive: true });
    await expect(collection.insert({ id: 'gone', vector: [1] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await database.close();
    expect(existsSync(location)).toBe(false);
  });
});

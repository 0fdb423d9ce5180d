import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
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

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
// The built package: a worker is a file of its own, and that is what users run.
import { destroy, open } from '../../dist/index.node.js';
import { describeStore } from '../store/suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'isovec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeStore({
  name: 'a store in files, in a worker thread',
  open: async (location, options) => open(join(folder, location), { worker: true, ...options }),
  destroy: (location, options) => destroy(join(folder, location), options),
  sharesWriting: true,
  propertyRuns: 8,
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { open, restore } from '../../src/index.node.ts';
import { restoring } from './restoring.ts';

const folder = mkdtempSync(join(tmpdir(), 'isovec-restore-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('restore, in files', () => {
  restoring(
    (name, options) => open(join(folder, name), options),
    (source, destination, options) => restore(join(folder, source), join(folder, destination), options),
  );
});

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'isovec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the README', () => {
  it('shows a program that runs as it stands, twice, and prints what it says', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const program = /```ts\n(.*?)```/s.exec(readme)![1]!;
    const [, printed] = /console\.log\(.*\/\/ (.*?)\.\.\.$/m.exec(program)!;
    const elsewhere = program.replace("'library'", JSON.stringify(join(folder, 'library')));
    expect(elsewhere).not.toBe(program);
    // The package is found by its own name: as a user has it.
    const run = () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '--eval', elsewhere], { cwd: root });
    for (const { stdout } of [await run(), await run()]) expect(stdout).toMatch(new RegExp(`^${printed}`));
  });
});

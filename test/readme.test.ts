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

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const program = /```ts\n(.*?)```/s.exec(readme)![1]!;
const beginning = program.slice(0, program.indexOf('const hits'));

/** The package is found by its own name: as a user has it. */
async function run(source: string, place: string): Promise<string> {
  const elsewhere = source.replace("'library'", JSON.stringify(join(folder, place)));
  expect(elsewhere).not.toBe(source);
  const options = ['--input-type=module', '--eval', elsewhere];
  return (await promisify(execFile)(process.execPath, options, { cwd: root })).stdout;
}

describe('the README', () => {
  it('shows a program that runs as it stands, twice, and prints what it says', async () => {
    const [, printed] = /console\.log\(.*\/\/ (.*?)\.\.\.$/m.exec(program)!;
    for (let round = 0; round < 2; round++)
      expect(await run(program, 'library')).toMatch(new RegExp(`^${printed}`));
  });

  it('shows filters that run as they stand', async () => {
    const [, filters] = /### Only what matches\n\n```js\n(.*?)```/s.exec(readme)!;
    const end = 'console.log(hits.map(({ id }) => id), await books.count()); await db.close();';
    expect(await run(beginning + filters + end, 'filtered')).toBe("[ 'dune' ] 2\n");
  });

  it('shows documents that run as they stand, and are rendered with where they are from', async () => {
    const [, documents] = /### Documents\n\n```js\n(.*?)```/s.exec(readme)!;
    const rendered = '[1] ferry.md › Ferry\n# Ferry\n\nIt leaves at noon.\n';
    expect(await run(`${beginning + documents} await db.close();`, 'documents')).toBe(rendered);
  });
});

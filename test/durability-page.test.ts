/** The crash matrix in docs/durability.md, which `npm run matrix` makes, has what every suite counts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const page = readFileSync(join(here, '..', 'docs', 'durability.md'), 'utf8');
const matrix = page.slice(page.indexOf('<!-- crash matrix'), page.indexOf('<!-- end of the crash matrix'));

/** Cells of the rows of each suite's table. */
const tables = new Map(
  matrix
    .split('\n### ')
    .slice(1)
    .map((part): [string, string[][]] => {
      const [suite = '', ...lines] = part.split('\n');
      const rows = lines.filter((line) => line.startsWith('|')).slice(2);
      return [suite, rows.map((line) => line.split('|').map((cell) => cell.trim()))];
    }),
);

const suites = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
  .flatMap((name) => [...readFileSync(join(here, name), 'utf8').matchAll(/new Matrix\('([^']+)'\)/g)])
  .map((match) => match[1]!);

/** A log that was cut just between two of its frames is a whole log, of an earlier time. */
const UNSEEN = 'an earlier state, unseen';

describe('the crash matrix', () => {
  it('has a table of every suite that counts', () => {
    expect(suites.length).toBeGreaterThan(1);
    for (const suite of suites) expect([...tables.keys()]).toContain(suite);
  });

  it('says of every row how often it was tried, and that it survived each time, if that can be', () => {
    for (const [suite, rows] of tables) {
      expect(rows.length, suite).toBeGreaterThan(0);
      for (const row of rows) {
        expect(row[5], `${suite}: ${row.join(' | ')}`).toMatch(/^[1-9][\d,]*$/);
        if (!row[2]!.endsWith(UNSEEN)) expect(row[6], `${suite}: ${row.join(' | ')}`).toBe(row[5]);
      }
    }
  });
});

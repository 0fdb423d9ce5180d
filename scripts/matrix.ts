/**
 * Puts the crash matrix that the tests have written into docs/durability.md, between its two marks: a table for each
 * suite. What a suite had there stays when it has not run since.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Outcome, readMatrix } from '../test/matrix.ts';

const PAGE = new URL('../docs/durability.md', import.meta.url);
const START = '<!-- crash matrix: made by `npm run matrix` -->';
const END = '<!-- end of the crash matrix -->';
const HEADING = '### ';

const COLUMNS: [heading: string, of: (outcome: Outcome) => string][] = [
  ['operation', ({ operation }) => operation],
  ['fault', ({ fault }) => fault],
  ['backend', ({ backend }) => backend],
  ['runtime', ({ runtime }) => runtime],
  ['tried', ({ tried }) => tried.toLocaleString('en')],
  ['survived', ({ survived }) => survived.toLocaleString('en')],
];
/** Numbers stand on the right. */
const NUMBERS_FROM = 4;

function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => COLUMNS.map(([, of]) => of(outcome)));
  const headings = COLUMNS.map(([heading]) => heading);
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...rows.map((cells) => cells[at]!.length)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, at) => (at < NUMBERS_FROM ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join(' | ')} |`;
  const rule = widths.map((width, at) =>
    at < NUMBERS_FROM ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(headings), line(rule), ...rows.map(line)].join('\n');
}

const inOrder = (a: Outcome, b: Outcome) =>
  a.fault.localeCompare(b.fault) ||
  a.backend.localeCompare(b.backend) ||
  a.runtime.localeCompare(b.runtime) ||
  a.operation.localeCompare(b.operation);

/** The tables that stand between the marks, by suite. */
function tablesOf(matrix: string): Map<string, string> {
  const parts = `\n${matrix.trim()}`.split(`\n${HEADING}`).slice(1);
  return new Map(parts.map((part) => [part.split('\n')[0]!.trim(), part.slice(part.indexOf('\n')).trim()]));
}

const page = readFileSync(PAGE, 'utf8');
const start = page.indexOf(START);
const end = page.indexOf(END);
if (start < 0 || end < start) throw new Error(`docs/durability.md lacks "${START}" or "${END}" behind it`);
const tables = tablesOf(page.slice(start + START.length, end));
for (const [suite, outcomes] of readMatrix()) tables.set(suite, table(outcomes.toSorted(inOrder)));
const sections = [...tables]
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([suite, rows]) => `${HEADING}${suite}\n\n${rows}`);
writeFileSync(
  PAGE,
  `${page.slice(0, start + START.length)}\n\n${sections.join('\n\n')}\n\n${page.slice(end)}`,
);
console.log(`${tables.size} tables in docs/durability.md`);

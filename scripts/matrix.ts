/** Puts the crash matrix that the tests have written into docs/durability.md, between its two marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Outcome, readMatrix } from '../test/matrix.ts';

const PAGE = new URL('../docs/durability.md', import.meta.url);
const START = '<!-- crash matrix: made by `npm run matrix` -->';
const END = '<!-- end of the crash matrix -->';

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

function place(page: string, matrix: string): string {
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start < 0 || end < start) throw new Error(`docs/durability.md lacks "${START}" or "${END}" behind it`);
  return `${page.slice(0, start + START.length)}\n\n${matrix}\n\n${page.slice(end)}`;
}

const sort = (a: Outcome, b: Outcome) =>
  a.backend.localeCompare(b.backend) ||
  a.runtime.localeCompare(b.runtime) ||
  a.operation.localeCompare(b.operation) ||
  a.fault.localeCompare(b.fault);
const outcomes = [...readMatrix().values()].flat().sort(sort);
writeFileSync(PAGE, place(readFileSync(PAGE, 'utf8'), table(outcomes)));
console.log(`${outcomes.length} rows in docs/durability.md`);

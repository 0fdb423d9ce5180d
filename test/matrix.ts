/**
 * The crash matrix: what was done to a store, in the middle of what, on which backend and runtime; how often it was
 * tried, and how often everything promised was there afterwards. Each suite counts and writes a file of its own into
 * `test-results/matrix`; `npm run matrix` makes the tables of docs/durability.md of them.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MATRIX_FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', 'test-results', 'matrix');

export interface Outcome {
  /** What was under way, as a reader would say it: "checkpoint", "strict upserts". */
  operation: string;
  /** What was done to it: "SIGKILL", "power loss, writes torn at 512 B", "no space". */
  fault: string;
  backend: 'fs' | 'opfs' | 'indexeddb' | 'memory' | 'simulated';
  /** As in "Node", "Deno", "Chromium". */
  runtime: string;
  tried: number;
  survived: number;
}

/** One suite's counts. Outcomes that differ in numbers only are added up. */
export class Matrix {
  readonly #suite: string;
  readonly #outcomes = new Map<string, Outcome>();

  /** @param suite names the file, so no two suites may share it */
  constructor(suite: string) {
    this.#suite = suite;
  }

  record(outcome: Outcome): void {
    const { operation, fault, backend, runtime, tried, survived } = outcome;
    const key = JSON.stringify([operation, fault, backend, runtime]);
    const before = this.#outcomes.get(key) ?? { ...outcome, tried: 0, survived: 0 };
    this.#outcomes.set(key, {
      ...before,
      tried: before.tried + tried,
      survived: before.survived + survived,
    });
  }

  /** Replaces the suite's file. */
  write(): void {
    mkdirSync(MATRIX_FOLDER, { recursive: true });
    const outcomes = [...this.#outcomes.values()];
    writeFileSync(join(MATRIX_FOLDER, `${this.#suite}.json`), `${JSON.stringify(outcomes, null, 2)}\n`);
  }
}

/** What all suites have written, by suite. */
export function readMatrix(): Map<string, Outcome[]> {
  const suites = new Map<string, Outcome[]>();
  for (const file of readdirSync(MATRIX_FOLDER).sort())
    if (file.endsWith('.json'))
      suites.set(file.slice(0, -5), JSON.parse(readFileSync(join(MATRIX_FOLDER, file), 'utf8')) as Outcome[]);
  return suites;
}

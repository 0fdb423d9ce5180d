import type { IntegrityProblem, Progress } from '../../base/api.ts';

/** A problem whose ids are known only when all files of a collection have been read. */
export interface Finding {
  problem: IntegrityProblem;
  /** Rows that it may have cost. */
  rows: number[];
}

/** What is found while files are being read, and how far that has come. */
export class Findings {
  readonly problems: IntegrityProblem[] = [];
  filesChecked = 0;
  bytesChecked = 0;
  readonly #bytesTotal: number;
  readonly #onProgress: (progress: Omit<Progress, 'phase'>) => void;

  /** @param onProgress is called as bytes are read; it may throw, to give up */
  constructor(bytesTotal: number, onProgress: (progress: Omit<Progress, 'phase'>) => void) {
    this.#bytesTotal = bytesTotal;
    this.#onProgress = onProgress;
  }

  add(file: string, kind: IntegrityProblem['kind'], what: string, offset?: number): IntegrityProblem {
    const message = offset === undefined ? `${file}: ${what}` : `${file}: ${what} at byte ${offset}`;
    const problem: IntegrityProblem = { file, kind, message, ...(offset !== undefined && { offset }) };
    this.problems.push(problem);
    return problem;
  }

  has(file: string): boolean {
    return this.problems.some((problem) => problem.file === file);
  }

  read(bytes: number): void {
    this.bytesChecked += bytes;
    this.#onProgress({ done: Math.min(this.bytesChecked, this.#bytesTotal), total: this.#bytesTotal });
  }
}

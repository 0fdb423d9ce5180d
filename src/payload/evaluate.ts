/** A condition over columns: each part says of which rows it holds for certain and of which possibly. */
import type { Condition, Test } from '../filter/condition.ts';
import { joinedValues } from '../filter/value-set.ts';
import type { Column } from './column.ts';
import {
  allRows,
  anyRows,
  complementOf,
  intersect,
  noRows,
  type RowBounds,
  unite,
  type WordRange,
} from './row-bounds.ts';

export interface Evaluation {
  columns: ReadonlyMap<string, Column>;
  range: WordRange;
  /** Rows, times conditions, that may still be looked at. */
  looksLeft: number;
}

/** @returns undefined where nothing is known of any row */
export function evaluate(condition: Condition, evaluation: Evaluation): RowBounds | undefined {
  switch (condition.kind) {
    case 'and':
      return evaluateAll(condition.parts, evaluation);
    case 'or':
      return evaluateAny(condition.parts, evaluation);
    case 'not': {
      const bounds = evaluate(condition.part, evaluation);
      return bounds && complementOf(bounds);
    }
    case 'field':
      return evaluateField(condition.path, condition.test, evaluation);
  }
}

/** What must all not be so is what must not be any of it: so many of these become one look, too. */
function evaluateAll(parts: readonly Condition[], evaluation: Evaluation): RowBounds | undefined {
  const { range } = evaluation;
  if (parts.length === 0) return allRows(range);
  const negated = parts.flatMap((part) => (part.kind === 'not' ? [part.part] : []));
  const rest = parts.filter(({ kind }) => kind !== 'not');
  const all = new Folded(range, intersect);
  for (const part of rest) all.add(evaluate(part, evaluation));
  if (negated.length > 0) {
    const any = evaluateAny(negated, evaluation);
    all.add(any && complementOf(any));
  }
  return all.bounds;
}

function evaluateAny(parts: readonly Condition[], evaluation: Evaluation): RowBounds | undefined {
  const { range } = evaluation;
  if (parts.length === 0) return noRows(range);
  const any = new Folded(range, unite);
  for (const part of joinedValues(parts)) any.add(evaluate(part, evaluation));
  return any.bounds;
}

/** Bounds of several conditions made one: there may be ten thousand. */
class Folded {
  readonly #range: WordRange;
  readonly #fold: (a: RowBounds, b: RowBounds) => RowBounds;
  #known: RowBounds | undefined;
  #hasUnknown = false;

  constructor(range: WordRange, fold: (a: RowBounds, b: RowBounds) => RowBounds) {
    this.#range = range;
    this.#fold = fold;
  }

  add(bounds: RowBounds | undefined): void {
    if (!bounds) this.#hasUnknown = true;
    else this.#known = this.#known ? this.#fold(this.#known, bounds) : bounds;
  }

  /** Undefined where nothing is known of any row. */
  get bounds(): RowBounds | undefined {
    if (!this.#known || !this.#hasUnknown) return this.#known;
    return this.#fold(this.#known, anyRows(this.#range));
  }
}

function evaluateField(path: string, test: Test, evaluation: Evaluation): RowBounds | undefined {
  const { columns, range } = evaluation;
  const column = columns.get(path);
  if (!column || evaluation.looksLeft <= 0) return undefined;
  evaluation.looksLeft -= (range.endWord - range.firstWord) * 32 + column.looksOf(test);
  return column.select(test, range);
}

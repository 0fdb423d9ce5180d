/** A condition over columns: each part says of which rows it holds for certain and of which possibly. */
import type { Condition, Scalar, Test } from '../filter/condition.ts';
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
  const all = rest.map((part) => evaluate(part, evaluation));
  if (negated.length > 0) {
    const any = evaluateAny(negated, evaluation);
    all.push(any && complementOf(any));
  }
  if (all.every((bounds) => bounds === undefined)) return undefined;
  return all.map((bounds) => bounds ?? anyRows(range)).reduce(intersect);
}

/** Values that one field may have take one look, however many they are. */
function evaluateAny(parts: readonly Condition[], evaluation: Evaluation): RowBounds | undefined {
  const { range } = evaluation;
  const valuesByPath = new Map<string, Scalar[]>();
  const rest: Condition[] = [];
  for (const part of parts) {
    if (part.kind !== 'field' || part.test.kind !== 'in') {
      rest.push(part);
      continue;
    }
    const values = valuesByPath.get(part.path) ?? [];
    for (const value of part.test.values) values.push(value);
    valuesByPath.set(part.path, values);
  }
  const any = rest.map((part) => evaluate(part, evaluation));
  for (const [path, values] of valuesByPath)
    any.push(evaluateField(path, { kind: 'in', values }, evaluation));
  if (any.length > 0 && any.every((bounds) => bounds === undefined)) return undefined;
  return any.map((bounds) => bounds ?? anyRows(range)).reduce(unite, noRows(range));
}

function evaluateField(path: string, test: Test, evaluation: Evaluation): RowBounds | undefined {
  const { columns, range } = evaluation;
  const column = columns.get(path);
  const rows = (range.endWord - range.firstWord) * 32;
  if (!column || evaluation.looksLeft < rows) return undefined;
  evaluation.looksLeft -= rows;
  return column.select(test, range);
}

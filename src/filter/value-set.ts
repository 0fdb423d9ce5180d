/** Long lists of values as sets: made once, whoever looks values up in them, and if need be a part at a time. */
import type { Condition, Scalar } from './condition.ts';

/** Shorter ones are made in no time. */
export const LONG_LIST = 4096;

const sets = new WeakMap<readonly Scalar[], ReadonlySet<Scalar>>();

/** @param values nobody may change */
export function setOf(values: readonly Scalar[]): ReadonlySet<Scalar> {
  const known = sets.get(values);
  if (known) return known;
  const set = new Set(values);
  sets.set(values, set);
  return set;
}

/** Of conditions of which any may hold: values that one field may have are made one list, which takes one look, however many
 *  they are. Lists that are long already stay apart. */
export function joinedValues(parts: readonly Condition[]): Condition[] {
  const valuesByPath = new Map<string, Scalar[]>();
  const joined: Condition[] = [];
  for (const part of parts) {
    if (part.kind !== 'field' || part.test.kind !== 'in' || part.test.values.length > LONG_LIST) {
      joined.push(part);
      continue;
    }
    const values = valuesByPath.get(part.path) ?? [];
    for (const value of part.test.values) values.push(value);
    valuesByPath.set(part.path, values);
  }
  for (const [path, values] of valuesByPath)
    joined.push({ kind: 'field', path, test: { kind: 'in', values } });
  return joined;
}

/** Makes the sets of a condition's long lists, so that nobody has to wait for one later. It may stop wherever it yields. */
export function* makeSets(condition: Condition): Generator<void, void> {
  if (condition.kind === 'not') yield* makeSets(condition.part);
  else if (condition.kind !== 'field') for (const part of condition.parts) yield* makeSets(part);
  else if (condition.test.kind === 'in' && condition.test.values.length > LONG_LIST) {
    const { values } = condition.test;
    if (sets.has(values)) return;
    const set = new Set<Scalar>();
    for (const [at, value] of values.entries()) {
      set.add(value);
      if (at % LONG_LIST === 0) yield;
    }
    sets.set(values, set);
  }
}

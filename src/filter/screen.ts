/**
 * Rules out most records by a look at their JSON, which then need not be parsed: what a filter wants to be equal to
 * something can only hold of metadata in whose text that something stands. The text is what JSON.stringify makes, so
 * there is one way to write each value.
 */
import { ARRAY_INDEX, type Condition, type Scalar, type Test } from './condition.ts';

/** Whether metadata with this JSON may match. */
export type Screen = (json: string) => boolean;

/** Of each group, one text at least must be there. */
type Groups = string[][];

/** To look for more texts than this takes as long as parsing. */
const TEXTS_MAX = 8;

export function screenOf(condition: Condition): Screen {
  const groups = groupsOf(condition).filter(({ length }) => length <= TEXTS_MAX);
  return (json) => {
    for (const group of groups) if (!group.some((text) => json.includes(text))) return false;
    return true;
  };
}

function groupsOf(condition: Condition): Groups {
  switch (condition.kind) {
    case 'and':
      return condition.parts.flatMap(groupsOf);
    case 'or':
      return anyOf(condition.parts.map(groupsOf));
    case 'not':
      return [];
    case 'field':
      return isForMissing(condition.test)
        ? []
        : [...valueGroups(condition.test), ...keyGroups(condition.path)];
  }
}

/** One group of each part, together. */
function anyOf(parts: Groups[]): Groups {
  const first = parts.map(([group]) => group);
  return first.length > 0 && first.every((group) => group !== undefined) ? [first.flat()] : [];
}

function isForMissing(test: Test): boolean {
  return test.kind === 'in' && test.values.includes(null);
}

function valueGroups(test: Test): Groups {
  if (test.kind !== 'in' || test.values.length > TEXTS_MAX) return [];
  return [test.values.map((value: Scalar) => JSON.stringify(value))];
}

/** The last key of a path stands in the text of whatever it leads to, unless it is a place in an array. */
function keyGroups(path: string): Groups {
  const key = path.slice(path.lastIndexOf('.') + 1);
  return ARRAY_INDEX.test(key) ? [] : [[JSON.stringify(key)]];
}

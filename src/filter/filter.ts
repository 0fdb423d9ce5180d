import { compileCondition, type Predicate } from './compile.ts';
import { type Condition, keyOf } from './condition.ts';
import { parseFilter } from './parse.ts';
import { type Screen, screenOf } from './screen.ts';

/** A filter that has been checked, ready to be asked of any number of records. */
export interface CompiledFilter {
  condition: Condition;
  /** The same for filters that say the same in another order; undefined of one that says too much to be compared. */
  key: string | undefined;
  /** Of metadata as it is stored: what JSON holds. */
  matches: Predicate;
  /** Whether it may match, by its JSON alone: much faster than parsing it to know. */
  mayMatch: Screen;
}

/**
 * @param name of the filter, for errors
 * @throws IsovecError INVALID_FILTER, naming the place
 */
export function compileFilter(filter: unknown, name: string): CompiledFilter {
  return filterBy(parseFilter(filter, name));
}

export function filterBy(condition: Condition): CompiledFilter {
  return {
    condition,
    key: keyOf(condition),
    matches: compileCondition(condition),
    mayMatch: screenOf(condition),
  };
}

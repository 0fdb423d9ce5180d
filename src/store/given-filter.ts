import type { CompiledFilter } from '../filter/filter.ts';
import { copyOf } from './copy-of.ts';

/** By what was given: one object is checked once. */
export type KnownFilters = Map<unknown, Promise<CompiledFilter>>;

/**
 * A filter as it is at the call, checked. Whoever gave it may change it while the module for it is loaded.
 * @param path for errors: they may come long before anybody awaits them
 * @param known filters of the same call that have been checked
 * @throws IsovecError INVALID_FILTER, by the promise
 */
export function checkedFilter(filter: unknown, path: string, known?: KnownFilters): Promise<CompiledFilter> {
  const checked = known?.get(filter) ?? compile(copyOf(filter), path);
  known?.set(filter, checked);
  checked.catch(() => {});
  return checked;
}

let compileFilter: typeof import('../filter/filter.ts').compileFilter | undefined;

async function compile(filter: unknown, path: string): Promise<CompiledFilter> {
  // Waiting for what is there takes a third of a query that compares little.
  compileFilter ??= (await import('./on-demand.ts')).compileFilter;
  return compileFilter(filter, path);
}

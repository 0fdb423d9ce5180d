import { isPlain } from '../base/plain.ts';

/** A filter and its path, for errors. */
export type GivenFilter = [filter: unknown, path: string];

/** What cannot be sent whole, or lies too deep for that, is no filter: the check for that names its place. */
export async function blaming<T>(filters: GivenFilter[], send: () => Promise<T>): Promise<T> {
  let failure: unknown;
  try {
    if (filters.every(([filter]) => isPlain(filter))) return await send();
  } catch (error) {
    if (!/^(DataClone|Range)Error$/.test((((error as Error).cause as Error) ?? error).name)) throw error;
    failure = error;
  }
  const { parseFilter } = await import('../filter/parse.ts');
  for (const [filter, path] of filters) if (filter !== undefined) parseFilter(filter, path);
  throw failure;
}

/** Of what is to be deleted. */
export function filterOf(which: unknown): GivenFilter {
  return [(which as { filter?: unknown } | undefined)?.filter, 'which.filter'];
}

import { IsovecError } from '../base/errors.ts';

/** A filter and its path, for errors. */
export type GivenFilter = [filter: unknown, path: string];

/** What cannot be sent, or lies too deep for that, is no filter: the check for that names its place. */
export async function blaming<T>(filters: GivenFilter[], send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof IsovecError && /^(DataClone|Range)Error$/.test((error.cause as Error)?.name)) {
      const { parseFilter } = await import('../filter/parse.ts');
      for (const [filter, path] of filters) if (filter !== undefined) parseFilter(filter, path);
    }
    throw error;
  }
}

/** Of what is to be deleted. */
export function filterOf(which: unknown): GivenFilter {
  return [(which as { filter?: unknown } | undefined)?.filter, 'which.filter'];
}

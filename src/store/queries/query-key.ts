import type { ResolvedConfig } from '../config.ts';
import type { CheckedQuery } from '../query-plan.ts';

/**
 * What tells queries apart but for vector, `topK` and `include`: in one order, whatever order it was given in, and with what
 * is left out said.
 * @throws IsovecError INVALID_ARGUMENT, INVALID_FILTER
 */
export async function keyOf(
  { filter, text, ef, exact, minScore, selection }: CheckedQuery,
  config: ResolvedConfig,
): Promise<string> {
  const words = text && (await import('../text/on-demand.ts')).checkText(text, config);
  const chosen = selection && [selection.groupBy, selection.groupSize, selection.diversity].map(nameOf);
  const known = await filter;
  // Of what cannot be compared each is another.
  const filterKey = known && (known.key ?? `incomparable ${incomparableCount++}`);
  // JSON has no infinity.
  return JSON.stringify([filterKey, ef, exact, String(minScore), words, chosen]);
}

let incomparableCount = 0;

/** Of what has not been checked: objects are refused by whoever does. */
function nameOf(value: unknown): string {
  const isObject = typeof value === 'object' || typeof value === 'function';
  return `${typeof value} ${isObject ? '' : String(value)}`;
}

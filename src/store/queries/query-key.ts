import type { ResolvedConfig } from '../config.ts';
import type { CheckedQuery } from '../query-plan.ts';

/**
 * What tells queries apart but for vector, `topK` and `include`: in one order, whatever order it was given in, and with what
 * is left out said.
 * @param filterKey tells filters apart; undefined where there is none
 * @throws IsovecError INVALID_ARGUMENT
 */
export async function keyOf(
  { text, ef, exact, minScore, selection }: CheckedQuery,
  filterKey: string | undefined,
  config: ResolvedConfig,
): Promise<string> {
  const words = text && (await import('../text/on-demand.ts')).checkText(text, config);
  const chosen = selection && [selection.groupBy, selection.groupSize, selection.diversity].map(nameOf);
  // JSON has no infinity.
  return JSON.stringify([filterKey, ef, exact, String(minScore), words, chosen]);
}

/** Of what has not been checked: objects are refused by whoever does. */
function nameOf(value: unknown): string {
  const isObject = typeof value === 'object' || typeof value === 'function';
  return `${typeof value} ${isObject ? '' : String(value)}`;
}

/** Hits chosen among more that are found, by whatever finds them. */
import type { Hit } from '../../base/api.ts';
import { checkInteger, invalid } from '../../base/check.ts';
import { TOP_K_MAX } from '../../base/limits.ts';
import type { CheckedQuery } from '../query-plan.ts';
import { diversify } from './diversify.ts';
import { group } from './group.ts';
import type { Selecting } from './selecting.ts';

/** @throws IsovecError INVALID_ARGUMENT, and as `find` */
export async function selectHits(
  { selection, ...query }: CheckedQuery,
  selecting: Selecting,
): Promise<Hit[]> {
  if (!selection) return selecting.find(query);
  const { groupBy, groupSize = 1, diversity = 0, path } = selection;
  if (typeof diversity !== 'number' || !(diversity >= 0 && diversity <= 1))
    throw invalid(`${path}.diversity`, 'a number from 0 to 1', diversity);
  if (groupBy === undefined) {
    if (groupSize !== 1) throw invalid(`${path}.groupSize`, 'left out without groupBy', groupSize);
    return diversity === 0 ? selecting.find(query) : diversify(query, diversity, selecting);
  }
  if (typeof groupBy !== 'string' || groupBy === '')
    throw invalid(`${path}.groupBy`, 'the dotted path of a metadata field', groupBy);
  if (diversity > 0) throw invalid(`${path}.diversity`, '0 with groupBy', diversity);
  checkInteger(groupSize, 1, Math.floor(TOP_K_MAX / query.topK), `${path}.groupSize`);
  return group(query, { path: groupBy, size: groupSize }, selecting.find);
}

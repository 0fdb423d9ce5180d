import type { Awaitable } from '../base/awaitable.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import type { FilteredWalk, Neighbours } from '../search/vector-index.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { type FilteredStrategy, planFiltered } from './filter-plan.ts';
import { withMatching } from './matching.ts';
import type { MatchingRows } from './matching-rows.ts';
import { payloadOf } from './payload.ts';
import type { PlanRecorder } from './plan-recorder.ts';
import { type CodesQuery, searchCodes } from './query-codes.ts';
import type { RowsView } from './rows-view.ts';

/** Of all rows: from so many that match on, all are compared as they lie, which is faster than to look each up. */
const SCANNED_SHARE = 1 / 3;

/** What lies far from a query lies all about as far, so that binary codes tell less of it apart: so many times more of them are
 *  ranked by their vectors. With 100 dimensions recall of half of 40,000 was .87 with 200 candidates, .94 with 400. */
const FAR_DEPTH = 2;

type MatchingQuery = CodesQuery & { signal?: AbortSignal; plan?: PlanRecorder };

/**
 * The nearest of the rows that match: as many as are asked for and there are.
 * @param use gets what is found, of the state as it is in that turn
 */
export function searchMatching<T>(
  engine: Engine,
  state: CollectionState,
  query: MatchingQuery,
  filter: CompiledFilter,
  use: (view: RowsView, found: Neighbours) => Awaitable<T>,
): Promise<T> {
  const { plan } = query;
  const search = (matching: MatchingRows): Awaitable<T> => {
    plan?.endStage('filter');
    if (plan) tellFilter(plan, state, matching, filter);
    plan?.note({ exact: false });
    const nearest = (topK: number) => nearestMatching(state, { ...query, topK }, matching);
    if (state.config.quantization !== 'none') {
      if (query.exact) return searchCodes(engine, state, { ...query, rows: matching.list() }, use);
      return searchCodes(engine, state, { ...query, nearest }, use);
    }
    const found = nearest(query.topK);
    plan?.endStage('search');
    return state.view(found.rows, (view) => use(view, found));
  };
  return withMatching(state, filter, engine.pause, search, query.signal);
}

/** By the index: quantised, by its codes. */
function nearestMatching(
  { index, config, rows }: CollectionState,
  { vector, topK, ef, exact, plan }: MatchingQuery,
  matching: MatchingRows,
): Neighbours {
  const { count: matched } = matching;
  // As long as most is not in the graph yet, all of that is compared anyway.
  const isLinked = index.pendingCount * 2 < index.count;
  const isWalkable = index.searchAllowed !== undefined && config.index.type !== 'flat' && isLinked;
  const count = rows.liveCount;
  const chosen = planFiltered({ topK, ef, exact: exact || !isWalkable, matched, count });
  let top = topK;
  const walk = (strategy: FilteredStrategy, how: FilteredWalk) => {
    plan?.note({ strategy, candidates: how.ef + how.efAllowed });
    const found = index.searchAllowed!(vector, matching.words, top, how);
    return found.rows.length === Math.min(top, matched) ? found : undefined;
  };
  if (chosen.strategy !== 'exact') {
    const near = walk(chosen.strategy, chosen.walk);
    if (near) return near;
    // What matches lies far from the query, or does not hang together.
    plan?.note({ isFallback: true });
    if (config.quantization === 'binary') top *= FAR_DEPTH;
    const far = chosen.farWalk && walk('filtered-walk', chosen.farWalk);
    if (far) return far;
  }
  plan?.note({ strategy: 'exact', candidates: matched, exact: config.quantization === 'none' });
  if (index.scanAllowed && matched > count * SCANNED_SHARE)
    return index.scanAllowed(vector, matching.words, top);
  return index.searchAmong(vector, matching.list(), top);
}

export function tellFilter(
  plan: PlanRecorder,
  state: CollectionState,
  { count }: MatchingRows,
  { condition }: CompiledFilter,
): void {
  const index = payloadOf(state);
  plan.note({ matched: count });
  if (index) plan.note(index.fieldsOf(condition));
}

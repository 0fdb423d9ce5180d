import type { CompiledFilter } from '../filter/filter.ts';
import type { Neighbours } from '../search/vector-index.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { withMatching } from './matching.ts';
import type { MatchingRows } from './matching-rows.ts';
import { type CodesQuery, searchCodes } from './query-codes.ts';
import type { RowsView } from './rows-view.ts';

/**
 * The nearest of the rows that match, every one of which is looked at.
 * @param use gets what is found, of the state as it is in that turn
 */
export function searchMatching<T>(
  engine: Engine,
  state: CollectionState,
  query: CodesQuery & { signal?: AbortSignal },
  filter: CompiledFilter,
  use: (view: RowsView, found: Neighbours) => Promise<T>,
): Promise<T> {
  const search = (matching: MatchingRows): Promise<T> => {
    const rows = matching.list();
    if (state.config.quantization !== 'none') return searchCodes(engine, state, { ...query, rows }, use);
    const found = state.index.searchAmong(query.vector, rows, query.topK);
    return state.view(found.rows, (view) => use(view, found));
  };
  return withMatching(state, filter, engine.pause, search, query.signal);
}

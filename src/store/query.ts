import type { Hit, Metadata } from '../base/api.ts';
import type { Neighbours } from '../search/vector-index.ts';
import { decodeMetadata, textOf } from './body.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import type { Engine } from './engine.ts';
import type { Selecting } from './queries/select.ts';
import type { CheckedQuery } from './query-plan.ts';
import type { RowsView } from './rows-view.ts';

/** Hits, which take some milliseconds to make. */
const LONG_ANSWER = 256;

let onDemand: Pick<typeof import('./on-demand.ts'), 'searchCodes' | 'searchMatching'> | undefined;

export async function runQuery(engine: Engine, state: CollectionState, query: CheckedQuery): Promise<Hit[]> {
  if (query.selection) {
    const { selectHits } = await import('./on-demand.ts');
    return selectHits(query, selectingFrom(engine, state));
  }
  if (query.text) {
    const { searchText } = await import('./text/on-demand.ts');
    return searchText(engine, state, query, query.text, { findNearest, scoreOf });
  }
  return findNearest(engine, state, query, (view, found) => hitsOf(engine, view, found, query, state.config));
}

/**
 * Answers from one committed state: rows are found, and a view of them taken, in one turn.
 * @param answer gets what is found
 */
export async function findNearest<T>(
  engine: Engine,
  state: CollectionState,
  query: CheckedQuery,
  answer: (view: RowsView, found: Neighbours) => Promise<T>,
): Promise<T> {
  const { index, config } = state;
  if (query.filter || config.quantization !== 'none') {
    // Waiting for what is there costs a query 3%.
    onDemand ??= await import('./on-demand.ts');
    if (query.filter) return onDemand.searchMatching(engine, state, query, await query.filter, answer);
    return onDemand.searchCodes(engine, state, query, answer);
  }
  const { vector, topK, ef, exact, plan } = query;
  const found = exact ? index.scan(vector, topK) : index.search(vector, topK, ef);
  plan?.search(state, query);
  return state.view(found.rows, (view) => answer(view, found));
}

export function selectingFrom(engine: Engine, state: CollectionState): Selecting {
  const find = (query: CheckedQuery) => runQuery(engine, state, query);
  return { find, metric: state.config.metric, pause: engine.pause };
}

export async function hitsOf(
  engine: Engine,
  view: RowsView,
  { rows, distances }: Neighbours,
  { minScore, include, signal }: CheckedQuery,
  { metric }: ResolvedConfig,
): Promise<Hit[]> {
  const count = countAbove(distances, minScore, metric);
  const reading = { body: include.metadata || include.text, vector: include.vector };
  const records = reading.body || reading.vector ? await view.read(rows.subarray(0, count), reading) : [];
  const hit = (row: number, at: number): Hit => {
    const distance = distances[at]!;
    const record = records[at];
    const text = include.text ? textOf(record!.body!) : undefined;
    return {
      id: view.id(row),
      score: scoreOf(distance, metric),
      distance,
      metadata: include.metadata ? decodeMetadata(record!.body!) : ({} as Metadata),
      // A copy: what is held must not be changed by whoever gets it.
      ...(reading.vector && { vector: record!.vector!.slice() }),
      ...(text !== undefined && { text }),
      // There are no words to be found.
      ...(include.highlights && { highlights: [] }),
    };
  };
  const found = Array.from(rows.subarray(0, count));
  return count < LONG_ANSWER
    ? found.map(hit)
    : (await import('./on-demand.ts')).hitsInTurns(engine, signal, found, hit);
}

/** Higher is better; see Hit.score. */
export function scoreOf(distance: number, metric: ResolvedConfig['metric']): number {
  if (metric === 'cosine') return 1 - distance;
  // Adding zero turns -0 into 0.
  return metric === 'dot' ? -distance + 0 : 1 / (1 + distance);
}

/** Distances ascend, so scores descend. */
function countAbove(distances: Float32Array, minScore: number, metric: ResolvedConfig['metric']): number {
  let count = distances.length;
  while (count > 0 && scoreOf(distances[count - 1]!, metric) < minScore) count--;
  return count;
}

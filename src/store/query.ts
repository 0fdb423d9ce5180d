import type { Hit, Metadata } from '../base/api.ts';
import { type Awaitable, whenThere } from '../base/awaitable.ts';
import type { Neighbours } from '../search/vector-index.ts';
import { decodeMetadata, textOf } from './body.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import type { Engine } from './engine.ts';
import type { Selecting } from './queries/selecting.ts';
import type { CheckedQuery } from './query-plan.ts';
import type { RawRecord, RowsView } from './rows-view.ts';

/** Hits, which take some milliseconds to make. */
const LONG_ANSWER = 256;

const NONE_READ: Partial<RawRecord>[] = [];

let onDemand: Pick<typeof import('./on-demand.ts'), 'searchCodes' | 'searchMatching'> | undefined;

/** @returns hits: at once, where nothing has to be loaded or read for them */
export function runQuery(engine: Engine, state: CollectionState, query: CheckedQuery): Awaitable<Hit[]> {
  const { selection, text } = query;
  if (selection)
    return import('./on-demand.ts').then(({ selectHits }) => selectHits(query, selectingFrom(engine, state)));
  if (text)
    return import('./text/on-demand.ts').then(({ searchText }) =>
      searchText(engine, state, query, text, { findNearest, scoreOf }),
    );
  return findNearest(engine, state, query, (view, found) => hitsOf(engine, view, found, query, state.config));
}

/**
 * Answers from one committed state: rows are found, and a view of them taken, in one turn.
 * @param answer gets what is found
 */
export function findNearest<T>(
  engine: Engine,
  state: CollectionState,
  query: CheckedQuery,
  answer: (view: RowsView, found: Neighbours) => Awaitable<T>,
): Awaitable<T> {
  const { index, config } = state;
  const { filter } = query;
  if (filter || config.quantization !== 'none') {
    if (!onDemand)
      return import('./on-demand.ts').then((loaded) => {
        onDemand = loaded;
        return findNearest(engine, state, query, answer);
      });
    const { searchMatching, searchCodes } = onDemand;
    if (filter) return filter.then((compiled) => searchMatching(engine, state, query, compiled, answer));
    return searchCodes(engine, state, query, answer);
  }
  const { vector, topK, ef, exact, plan } = query;
  const found = exact ? index.scan(vector, topK) : index.search(vector, topK, ef);
  plan?.search(state, query);
  return state.view(found.rows, (view) => answer(view, found));
}

export function selectingFrom(engine: Engine, state: CollectionState): Selecting {
  const find = async (query: CheckedQuery) => runQuery(engine, state, query);
  return { find, metric: state.config.metric, pause: engine.pause };
}

export function hitsOf(
  engine: Engine,
  view: RowsView,
  { rows, distances }: Neighbours,
  { minScore, include, signal }: CheckedQuery,
  { metric }: ResolvedConfig,
): Awaitable<Hit[]> {
  const count = countAbove(distances, minScore, metric);
  const found = count < rows.length ? rows.subarray(0, count) : rows;
  const reading = { body: include.metadata || include.text, vector: include.vector };
  const hit = (id: string, distance: number, record: Partial<RawRecord> | undefined): Hit => {
    const made: Hit = {
      id,
      score: scoreOf(distance, metric),
      distance,
      metadata: include.metadata ? decodeMetadata(record!.body!) : ({} as Metadata),
    };
    // A copy: what is held must not be changed by whoever gets it.
    if (include.vector) made.vector = record!.vector!.slice();
    const text = include.text ? textOf(record!.body!) : undefined;
    if (text !== undefined) made.text = text;
    // There are no words to be found.
    if (include.highlights) made.highlights = [];
    return made;
  };
  const records = reading.body || reading.vector ? view.read(found, reading) : NONE_READ;
  return whenThere(records, (read) => {
    if (count < LONG_ANSWER) return view.ids(found).map((id, at) => hit(id, distances[at]!, read[at]));
    const make = (row: number, at: number) => hit(view.id(row), distances[at]!, read[at]);
    return import('./on-demand.ts').then(({ hitsInTurns }) =>
      hitsInTurns(engine, signal, Array.from(found), make),
    );
  });
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

/** Queries asked in one call that are compared with all vectors, or with all pending ones: several in one pass. */
import type { Hit } from '../../base/api.ts';
import { type Neighbours, QUERIES_TOGETHER_MAX } from '../../search/vector-index.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Engine } from '../engine.ts';
import { hitsOf, runQuery } from '../query.ts';
import { candidateCount, scanVectors, searchCodes } from '../query-codes.ts';
import type { CheckedQuery } from '../query-plan.ts';
import type { RowsView } from '../rows-view.ts';

/** Fewer pending vectors are compared in no time. */
const PENDING_MIN = 256;

/**
 * @param queries in the order in which they will be answered
 * @returns answers one as `runQuery` does, and with it those after it that can be: all from one state
 */
export function findTogether(queries: readonly CheckedQuery[]): typeof runQuery {
  const answered = new Map<CheckedQuery, Hit[]>();
  return async (engine, state, query) => {
    const known = answered.get(query);
    if (known) return known;
    const group = groupAt(queries, queries.indexOf(query), state);
    if (group.length < 2) return runQuery(engine, state, query);
    const answers = await answerGroup(engine, state, group);
    for (const [at, hits] of answers.entries()) answered.set(group[at]!, hits);
    return answers[0]!;
  };
}

/** What can be answered together with the query at a place: only those right behind it, so that little waits for others. */
function groupAt(queries: readonly CheckedQuery[], at: number, state: CollectionState): CheckedQuery[] {
  const first = queries[at]!;
  if (!isPassed(first, state)) return [first];
  const candidates = queries.slice(at, at + QUERIES_TOGETHER_MAX);
  const { topK, ef, exact } = first;
  const end = candidates.findIndex(
    (query) => !(isPlain(query) && query.topK === topK && query.ef === ef && query.exact === exact),
  );
  return end < 0 ? candidates : candidates.slice(0, end);
}

function isPlain({ text, filter, selection, plan, explain }: CheckedQuery): boolean {
  return !(text || filter || selection || plan || explain);
}

/** Whether a pass over many vectors is what takes its time. */
function isPassed({ exact }: CheckedQuery, { index, config }: CollectionState): boolean {
  return (
    index.searchSeveral !== undefined &&
    (exact || config.index.type === 'flat' || index.pendingCount >= PENDING_MIN)
  );
}

async function answerGroup(
  engine: Engine,
  state: CollectionState,
  group: readonly CheckedQuery[],
): Promise<Hit[][]> {
  const { index, config } = state;
  const { topK, ef, exact } = group[0]!;
  const vectors = group.map(({ vector }) => vector);
  const answer = (view: RowsView, found: Neighbours, at: number) =>
    hitsOf(engine, view, found, group[at]!, config);
  const isCoded = config.quantization !== 'none';
  if (isCoded && exact) return scanVectors(engine, state, { vectors, topK }, answer);
  const count = isCoded ? candidateCount({ topK, ef }, config) : topK;
  const found = index.searchSeveral!(vectors, count, exact ? 0 : ef);
  return Promise.all(
    found.map((nearest, at) => {
      const use = (view: RowsView, ranked: Neighbours) => answer(view, ranked, at);
      if (!isCoded) return state.view(nearest.rows, (view) => use(view, nearest));
      return searchCodes(engine, state, { ...group[at]!, nearest: () => nearest }, use);
    }),
  );
}

/**
 * Pages of hits: each begins behind the last hit of the one before, by score and id, so what is written between them
 * moves nothing of what stays.
 */
import { checkNotAborted } from '../../base/abort.ts';
import type { Hit, HitPage, PageQuery } from '../../base/api.ts';
import { invalid } from '../../base/check.ts';
import { crc32c } from '../../base/crc32c.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Engine } from '../engine.ts';
import { PlanRecorder } from '../plan-recorder.ts';
import { selectingFrom } from '../query.ts';
import { type CheckedQuery, checkQuery } from '../query-plan.ts';
import type { Called } from '../seldom-calls.ts';
import { Slices } from '../slices.ts';
import { type CursorPlace, readCursor, writeCursor } from './cursor.ts';
import { filterChecksum } from './filter-checksum.ts';
import { keyOf } from './query-key.ts';
import { type FindHits, isHybrid } from './selecting.ts';

/** The fewest hits to look at: pages that look at equally many are cut from one answer of an approximate index. */
const LOOKED_AT_MIN = 32;

/** Candidates of a graph for each: of 3,000 hits by 30 pages 2 were found too late to be given, where 13 were with one. */
const EF_PER_HIT = 2;

/** @throws IsovecError INVALID_ARGUMENT, and as a query */
export async function queryPage(
  { engine, state, refresh }: Called,
  { cursor, ...given }: PageQuery,
): Promise<HitPage> {
  const query = checkQuery(given, 'query', state.config);
  if (query.selection)
    throw invalid('query', 'without groupBy, groupSize and diversity, to be paged', query.selection);
  const fingerprint = await fingerprintOf(engine, state, query);
  const after = cursor === undefined ? undefined : readCursor(cursor, fingerprint);
  await refresh();
  if (query.explain) query.plan = new PlanRecorder();
  const page = await findPage(query, after, fingerprint, selectingFrom(engine, state).find);
  query.plan?.explain(page.hits);
  return page;
}

async function findPage(
  query: CheckedQuery,
  after: CursorPlace | undefined,
  fingerprint: number,
  find: FindHits,
): Promise<HitPage> {
  let count = Math.max(LOOKED_AT_MIN, powerOfTwoAbove((after?.rank ?? 0) + query.topK));
  for (;;) {
    checkNotAborted(query.signal);
    // By words and vector, a page is cut from the ranking that a query has.
    const ef = isHybrid(query) ? query.ef : Math.max(query.ef, EF_PER_HIT * count);
    const found = await find({ ...query, topK: count, ef });
    const isAll = found.length < count;
    const hits = surely(found, isAll).sort(byScoreAndId);
    const first = after ? hits.findIndex((hit) => byScoreAndId(hit, after) > 0) : 0;
    const rest = first === -1 ? [] : hits.slice(first);
    if (isAll || rest.length > query.topK) {
      const page = rest.slice(0, query.topK);
      const last = page.at(-1);
      if (!last || rest.length === page.length) return { hits: page };
      const { score, id } = last;
      return { hits: page, cursor: writeCursor({ score, id, rank: first + page.length }, fingerprint) };
    }
    count *= 2;
  }
}

/** The same for queries that rank alike. */
async function fingerprintOf(
  { pause }: Engine,
  { id, name, config }: CollectionState,
  query: CheckedQuery,
): Promise<number> {
  const { vector, signal } = query;
  const filter = await query.filter;
  const filterKey =
    filter && (filter.key ?? `long ${await filterChecksum(filter.condition, new Slices(pause, signal))}`);
  const known = JSON.stringify([id, name, await keyOf(query, filterKey, config)]);
  return crc32c(
    new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
    crc32c(encodeUtf8(known)),
  );
}

/** Of those with the last score there may be more, that should come before the ones that are there. */
function surely(found: Hit[], isAll: boolean): Hit[] {
  const last = found.at(-1);
  return isAll || !last ? found : found.filter(({ score }) => score > last.score);
}

function byScoreAndId(a: Pick<Hit, 'score' | 'id'>, b: CursorPlace | Hit): number {
  if (a.score !== b.score) return b.score - a.score;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

function powerOfTwoAbove(count: number): number {
  return 2 ** Math.ceil(Math.log2(count + 1));
}

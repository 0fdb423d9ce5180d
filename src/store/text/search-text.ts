/** Queries by text, and by text and vector. */
import { checkNotAborted } from '../../base/abort.ts';
import type { Hit } from '../../base/api.ts';
import type { Awaitable } from '../../base/awaitable.ts';
import { TOP_K_MAX } from '../../base/limits.ts';
import type { Neighbours } from '../../search/vector-index.ts';
import type { RowTable } from '../../tables/row-table.ts';
import type { RankedRows } from '../../text/best-rows.ts';
import { fuseByRank, fuseByScore } from '../../text/fusion.ts';
import { StagedRanking } from '../../text/staged-ranking.ts';
import { decodeMetadata, textOf } from '../body.ts';
import { dropped } from '../collection.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Engine } from '../engine.ts';
import { hitsInTurns } from '../hits-in-turns.ts';
import { withMatching } from '../matching.ts';
import type { MatchingRows } from '../matching-rows.ts';
import type { findNearest, scoreOf } from '../query.ts';
import { searchCodes } from '../query-codes.ts';
import { tellFilter } from '../query-matching.ts';
import type { CheckedQuery, GivenText } from '../query-plan.ts';
import type { RowsView } from '../rows-view.ts';
import { type CheckedText, checkText } from './checked-text.ts';
import { PreparedText } from './prepared-text.ts';

/** So many times as many of what either finds are ranked behind those that are not enough: four times at most. */
const CANDIDATES_GROWTH = 10;
/** Each side looks at the state as it is in its turn; where they differ both look again, unless writers never rest. */
const ATTEMPTS_MAX = 8;

/** Queries by vector. */
export interface VectorSide {
  findNearest: typeof findNearest;
  scoreOf: typeof scoreOf;
}

/** Of a query by text and vector. */
interface Ranking {
  staged: StagedRanking;
  /** By row, of those of which they are known. */
  distances: Map<number, number>;
  state: StateVersion;
}

interface StateVersion {
  rows: RowTable;
  rowCount: number;
  deadCount: number;
}

interface Stage {
  /** How many are taken of what either finds. */
  count: number;
  isLast: boolean;
}

/** undefined where the state has changed meanwhile. */
type Found = Hit[] | 'more' | undefined;

/** As `runQuery`. @throws IsovecError INVALID_ARGUMENT, ABORTED, CORRUPTION */
export async function searchText(
  engine: Engine,
  state: CollectionState,
  query: CheckedQuery,
  given: GivenText,
  vectorSide: VectorSide,
): Promise<Hit[]> {
  return new TextSearch(engine, state, query, checkText(given, state.config), vectorSide).run();
}

class TextSearch {
  readonly #engine: Engine;
  readonly #state: CollectionState;
  readonly #query: CheckedQuery;
  readonly #text: CheckedText;
  readonly #vectorSide: VectorSide;
  #attempt = 0;

  constructor(
    engine: Engine,
    state: CollectionState,
    query: CheckedQuery,
    text: CheckedText,
    vectorSide: VectorSide,
  ) {
    this.#engine = engine;
    this.#state = state;
    this.#query = query;
    this.#text = text;
    this.#vectorSide = vectorSide;
  }

  async run(): Promise<Hit[]> {
    const isHybrid = this.#query.vector.length > 0;
    this.#query.plan?.note({ strategy: 'text' });
    for (;;) {
      const { signal } = this.#query;
      checkNotAborted(signal);
      if (this.#state.isDropped) throw dropped(this.#state.name);
      const isLast = this.#attempt >= ATTEMPTS_MAX;
      const prepared = await PreparedText.make(this.#engine, this.#state, this.#text, { signal, isLast });
      this.#query.plan?.endStage('text');
      this.#attempt++;
      const hits = await (isHybrid ? this.#findByBoth(prepared) : this.#findByText(prepared));
      if (hits) return hits;
    }
  }

  /** @returns undefined where the state has changed meanwhile, as all others do */
  #findByText(prepared: PreparedText): Promise<Hit[] | undefined> {
    const { topK } = this.#query;
    return this.#withWanted(async (matching) => {
      const found = prepared.rank(topK, matching);
      this.#query.plan?.endStage('text');
      return found && this.#state.view(found.rows, (view) => this.#hitsOf(view, found, prepared));
    });
  }

  async #findByBoth(prepared: PreparedText): Promise<Hit[] | undefined> {
    const { rows } = this.#state;
    const most = this.#query.exact ? Math.max(TOP_K_MAX, rows.rowCount) : TOP_K_MAX;
    const ranking = {
      staged: new StagedRanking(),
      distances: new Map<number, number>(),
      state: this.#version(),
    };
    for (let count = this.#text.fusion.candidates; ; count = Math.min(most, count * CANDIDATES_GROWTH)) {
      const hits = await this.#findStage(prepared, ranking, { count, isLast: count >= most });
      if (hits !== 'more') return hits;
    }
  }

  /** Ranks the best `count` by either behind what has been ranked. @returns hits, if they are enough or all by then */
  async #findStage(prepared: PreparedText, ranking: Ranking, stage: Stage): Promise<Found> {
    const look = async (matching?: MatchingRows) => prepared.rank(stage.count, matching)?.rows;
    const byText = await (this.#query.filter ? this.#withWanted(look) : look());
    this.#query.plan?.endStage('text');
    if (!byText || !this.#isSame(ranking)) return undefined;
    const fuse = async (_: RowsView, byVector: Neighbours): Promise<Found> =>
      this.#isSame(ranking) ? this.#fuse(prepared, ranking, stage, { byText, byVector }) : undefined;
    const byVector = { ...this.#query, topK: stage.count, ef: Math.max(this.#query.ef, stage.count) };
    return this.#vectorSide.findNearest(this.#engine, this.#state, byVector, fuse);
  }

  /** In the turn in which both sides are of one state. */
  async #fuse(
    prepared: PreparedText,
    ranking: Ranking,
    { count, isLast }: Stage,
    { byText, byVector }: { byText: Uint32Array; byVector: Neighbours },
  ): Promise<Found> {
    const { fusion } = this.#text;
    const { topK, plan } = this.#query;
    plan?.note({ fusion: fusion.method });
    const isAll = isLast || Math.max(byText.length, byVector.rows.length) < count;
    const isLive = (row: number) => this.#state.rows.isLive(row);
    const places = { byText: byText.filter(isLive), byVector: byVector.rows.filter(isLive) };
    const { staged, distances: known } = ranking;
    const viewed = new Set([...staged.rows.filter(isLive), ...places.byText, ...places.byVector]);
    const take = async (view: RowsView, found: RankedRows, measured: Neighbours): Promise<Found> => {
      for (const [at, row] of measured.rows.entries())
        if (!staged.has(row)) known.set(row, measured.distances[at]!);
      staged.append(found);
      if (!isAll && staged.rows.length < topK) return 'more';
      const best = staged.best(topK, (row) => viewed.has(row));
      return this.#hitsOf(view, best, prepared, known);
    };
    return this.#state.view([...viewed], async (view) => {
      if (fusion.method === 'rrf')
        return take(view, fuseByRank(places, fusion.k, fusion.vectorWeight), byVector);
      const rows = Uint32Array.from(new Set([...places.byVector, ...places.byText]));
      const scores = prepared.scoresOf(rows);
      if (!scores) return undefined;
      return this.#measure(rows, async (measured) => {
        const distances = distancesOf(measured);
        const { metric } = this.#state.config;
        const similarity = (row: number) => this.#vectorSide.scoreOf(distances.get(row)!, metric);
        const all = { rows, byVector: Array.from(rows, similarity), byText: scores };
        return take(view, fuseByScore(all, fusion.vectorWeight), measured);
      });
    });
  }

  /** Rows are only ever added to a table, and die. */
  #version(): StateVersion {
    const { rows } = this.#state;
    return { rows, rowCount: rows.rowCount, deadCount: rows.deadCount };
  }

  #isSame({ state: before }: Ranking): boolean {
    const { rows, rowCount, deadCount } = this.#version();
    if (rows !== before.rows) return false;
    return (rowCount === before.rowCount && deadCount === before.deadCount) || this.#attempt > ATTEMPTS_MAX;
  }

  /** The distances of all these rows, which live. */
  #measure<T>(rows: Uint32Array, use: (found: Neighbours) => Promise<T>): Awaitable<T> {
    const state = this.#state;
    const query = { ...this.#query, rows, topK: rows.length, exact: true };
    if (state.config.quantization !== 'none')
      return searchCodes(this.#engine, state, query, (_, found) => use(found));
    return use(state.index.searchAmong(query.vector, rows, rows.length));
  }

  async #withWanted<T>(use: (matching: MatchingRows | undefined) => Promise<T>): Promise<T> {
    const { filter: given, plan, signal } = this.#query;
    if (!given) return use(undefined);
    const filter = await given;
    const useTold = (matching: MatchingRows) => {
      plan?.endStage('filter');
      if (plan) tellFilter(plan, this.#state, matching, filter);
      return use(matching);
    };
    return withMatching(this.#state, filter, this.#engine.pause, useTold, signal);
  }

  /** @param distances by row, of those of which they are known */
  async #hitsOf(
    view: RowsView,
    { rows, scores }: RankedRows,
    prepared: PreparedText,
    distances?: ReadonlyMap<number, number>,
  ): Promise<Hit[]> {
    const { include, minScore } = this.#query;
    const wanted = rows.filter((_, at) => scores[at]! >= minScore);
    const body = include.metadata || include.text || include.highlights;
    const records = await view.read(wanted, { body, vector: include.vector });
    const isOfTexts = include.text || include.highlights;
    const texts = records.map((record) => (isOfTexts ? textOf(record.body!) : undefined));
    const highlights = include.highlights ? await prepared.highlights(texts) : undefined;
    return hitsInTurns(this.#engine, this.#query.signal, records, (record, at) => {
      const row = wanted[at]!;
      const distance = distances?.get(row);
      const text = texts[at];
      return {
        id: view.id(row),
        score: scores[at]!,
        ...(distance !== undefined && { distance }),
        metadata: include.metadata ? decodeMetadata(record.body!) : {},
        // A copy: what is held must not be changed by whoever gets it.
        ...(include.vector && { vector: record.vector!.slice() }),
        ...(include.text && text !== undefined && { text }),
        ...(highlights && { highlights: highlights[at]! }),
      };
    });
  }
}

function distancesOf({ rows, distances }: Neighbours): Map<number, number> {
  return new Map(Array.from(rows, (row, at) => [row, distances[at]!]));
}

/**
 * Queries where the index holds codes: the nearest by their codes are ranked anew by their vectors, which are read from
 * storage, or from a bounded memory.
 */
import { type Awaitable, whenThere } from '../base/awaitable.ts';
import type { Neighbours } from '../search/vector-index.ts';
import { vectorStrideBytes } from '../tables/vectors-file.ts';
import type { CollectionFiles } from './collection-files.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import type { Engine } from './engine.ts';
import type { PlanRecorder } from './plan-recorder.ts';
import { Ranking } from './ranking.ts';
import { RowsView } from './rows-view.ts';
import { VectorCache } from './vector-cache.ts';

/** How many of the nearest by their codes are ranked by their vectors: so many times `topK`, and some more. */
const CANDIDATES = {
  int8: { factor: 1.5, extra: 10 },
  binary: { factor: 8, extra: 40 },
} as const;

/** A binary code's error is as the root of its dimensions: of fewer than these, more candidates are ranked. With 100 of GloVe
 *  recall of the ten nearest of 40,000 was .85 among 120 candidates, .91 among 240. */
const BINARY_DIMENSIONS = 256;
const SCARCITY_MAX = 4;
/** Of the candidates of a walk by binary codes, as many at least: otherwise no `ef` finds what their error leaves out. Of 3,000,000
 *  of 384 dimensions, `ef` 2048 found .895 of the nearest ten among 120, .965 among 840. */
const BINARY_SHARE_OF_EF = 1 / 2;

/** How many are ranked by their vectors. */
export function candidateCount(
  { topK, ef }: Pick<CodesQuery, 'topK' | 'ef'>,
  { quantization, dimensions }: ResolvedConfig,
): number {
  const isBinary = quantization === 'binary';
  const { factor, extra } = CANDIDATES[isBinary ? 'binary' : 'int8'];
  if (!isBinary) return Math.ceil(topK * factor) + extra;
  const scarcity = Math.min(SCARCITY_MAX, Math.max(1, BINARY_DIMENSIONS / dimensions));
  return Math.max(Math.ceil(topK * factor * scarcity) + extra, Math.ceil(ef * BINARY_SHARE_OF_EF));
}

/** Vectors of a collection kept in memory: 100,000 of 160 dimensions, 40,000 of 384. */
const VECTOR_CACHE_BYTES = 64 * 1024 * 1024;
/** Of a vector kept, besides its components. */
const CACHED_ROW_BYTES = 32;
/** What one query may have of the cache: more, and queries that run side by side throw out what the others have read. */
const CACHE_SHARE_PER_QUERY = 1 / 8;

/** Vectors read at a time where they do not go through the cache. */
const PIECE_BYTES = 1024 * 1024;

type Shape = Pick<ResolvedConfig, 'dimensions' | 'metric'>;

export interface CodesQuery {
  vector: Float32Array;
  topK: number;
  ef: number;
  exact: boolean;
  /** Only these, every one of them: each once, live. */
  rows?: Uint32Array;
  /** Finds the nearest by their codes, otherwise than by the index alone. */
  nearest?: (count: number) => Neighbours;
  plan?: PlanRecorder;
}

/** @param use gets what is found, of the state as it was when this was called */
export function searchCodes<T>(
  engine: Engine,
  state: CollectionState,
  query: CodesQuery,
  use: (view: RowsView, found: Neighbours) => Awaitable<T>,
): Awaitable<T> {
  const { vector, topK, ef, exact, rows: among, nearest, plan } = query;
  if (exact && !among) {
    const answers = scanVectors(engine, state, { ...query, vectors: [vector] }, use);
    return answers.then(([answer]) => answer!);
  }
  const { index, config, files } = state;
  const read = async (view: RowsView, rows: Uint32Array) =>
    (!exact && (await rankCached(await cacheOf(engine, files, config), view, rows, query))) ||
    withRanking(engine, config, { vectors: [vector], topK }, (ranking) =>
      rankRead(ranking, view, rows, config.dimensions),
    );
  const count = candidateCount(query, config);
  const rows = among ?? (nearest?.(count) ?? index.search(vector, count, ef)).rows;
  if (nearest) plan?.endStage('search');
  else if (among) plan?.note({ strategy: 'exact', exact: true, candidates: among.length });
  else plan?.search(state, { ...query, topK: count });
  return state.view(rows, (view) => {
    const held = exact ? undefined : rankHeld(files.vectorCache, rows, query);
    return whenThere(held ?? read(view, rows), (found) => {
      plan?.endStage('rank');
      return use(view, found);
    });
  });
}

/** It is of these files, for rows have their numbers in them. */
async function cacheOf(engine: Engine, files: CollectionFiles, shape: Shape): Promise<VectorCache> {
  if (!files.vectorCache) {
    const index = await engine.createFlatIndex(shape);
    const rowsMax = Math.ceil(VECTOR_CACHE_BYTES / (4 * shape.dimensions + CACHED_ROW_BYTES));
    files.vectorCache ??= new VectorCache(index, rowsMax, files.mayCache);
  }
  return files.vectorCache;
}

/** @returns undefined where some of the rows are not in the cache, or they are too many for it */
function rankHeld(
  cache: VectorCache | undefined,
  rows: Uint32Array,
  { vector, topK }: CodesQuery,
): Neighbours | undefined {
  if (!cache || rows.length > cache.rowsMax * CACHE_SHARE_PER_QUERY) return undefined;
  for (let at = 0; at < rows.length; at++) if (!cache.has(rows[at]!)) return undefined;
  return cache.rank(vector, rows, topK);
}

/** @returns undefined where the rows are too many for the cache */
async function rankCached(
  cache: VectorCache,
  view: RowsView,
  rows: Uint32Array,
  { vector, topK }: CodesQuery,
): Promise<Neighbours | undefined> {
  while (rows.length <= cache.rowsMax * CACHE_SHARE_PER_QUERY) {
    const missing: number[] = [];
    for (const row of rows) if (!cache.has(row)) missing.push(row);
    if (missing.length === 0) return cache.rank(vector, rows, topK);
    // Meanwhile others may throw out what is there: then it is read again.
    for (const [at, each] of (await view.vectors(missing)).entries()) cache.keep(missing[at]!, each);
  }
  return undefined;
}

async function rankRead(
  ranking: Ranking,
  view: RowsView,
  rows: Uint32Array,
  dimensions: number,
): Promise<Neighbours> {
  const rowsPerPiece = rowsPerPieceOf(dimensions);
  for (let first = 0; first < rows.length; first += rowsPerPiece) {
    const piece = Array.from(rows.subarray(first, first + rowsPerPiece));
    for (const [at, vector] of (await view.vectors(piece)).entries()) ranking.offer(piece[at]!, vector);
  }
  return ranking.neighbours()[0]!;
}

/** Some queries that all vectors are read for. */
interface VectorsQuery {
  /** Up to QUERIES_TOGETHER_MAX. */
  vectors: readonly Float32Array[];
  topK: number;
  plan?: PlanRecorder;
}

/** Reads every vector, once for all queries. @param use gets what is found for each, and which it is */
export function scanVectors<T>(
  engine: Engine,
  state: CollectionState,
  { vectors: queries, topK, plan }: VectorsQuery,
  use: (view: RowsView, found: Neighbours, at: number) => Awaitable<T>,
): Promise<T[]> {
  const { rows, files, tail, config } = state;
  const dead = rows.deadRows();
  const { firstRow, endRow } = tail;
  const records = tail.records();
  const held = { firstRow, get: (row: number) => records[row - firstRow] };
  const rowsPerPiece = rowsPerPieceOf(config.dimensions);
  return files.read(async () => {
    const found = await withRanking(engine, config, { vectors: queries, topK }, async (ranking) => {
      for (let first = 0; first < firstRow; first += rowsPerPiece) {
        const vectors = await files.vectors(first, Math.min(rowsPerPiece, firstRow - first));
        for (const [at, vector] of vectors.entries())
          if (!dead.has(first + at)) ranking.offer(first + at, vector);
      }
      for (let row = firstRow; row < endRow; row++)
        if (!dead.has(row)) ranking.offer(row, held.get(row)!.vector);
      return ranking.neighbours();
    });
    plan?.search(state, { exact: true, ef: 0, topK });
    return Promise.all(
      found.map((each, at) => use(new RowsView(each.rows, { rows, files, tail: held }), each, at)),
    );
  });
}

/** Memory of an index never shrinks, so one that has grown large goes. */
const IDLE_BYTES_MAX = 8 * 1024 * 1024;

async function withRanking<T>(
  engine: Engine,
  { dimensions, metric }: Shape,
  { vectors, topK }: Pick<VectorsQuery, 'vectors' | 'topK'>,
  rank: (ranking: Ranking) => Promise<T>,
): Promise<T> {
  const key = `${dimensions} ${metric}`;
  const { rankings } = engine;
  const index = rankings.get(key) ?? (await engine.createFlatIndex({ dimensions, metric }));
  rankings.delete(key);
  const ranking = new Ranking(index, vectors, topK);
  try {
    return await rank(ranking);
  } finally {
    ranking.clear();
    const { memoryBytes } = index;
    const mayStay = engine.memoryLimit?.mayCache(memoryBytes) ?? true;
    if (mayStay && memoryBytes <= IDLE_BYTES_MAX) rankings.set(key, index);
  }
}

function rowsPerPieceOf(dimensions: number): number {
  return Math.max(1, Math.floor(PIECE_BYTES / vectorStrideBytes(dimensions)));
}

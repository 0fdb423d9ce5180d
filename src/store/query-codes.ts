/**
 * Queries where the index holds codes: the nearest by their codes are compared anew by their vectors, which are read
 * from storage, or from a bounded memory.
 */
import type { Metric } from '../base/api.ts';
import { type DistanceTo, distancesFrom } from '../search/distance.ts';
import { NearestRows } from '../search/nearest-rows.ts';
import type { Neighbours } from '../search/vector-index.ts';
import { vectorStrideBytes } from '../tables/vectors-file.ts';
import type { CollectionState } from './collection-state.ts';
import { RowsView } from './rows-view.ts';
import { VectorCache } from './vector-cache.ts';

/** How many of the nearest by their codes are compared by their vectors: so many times `topK`, and some more. */
const CANDIDATES = {
  int8: { factor: 1.5, extra: 10 },
  binary: { factor: 8, extra: 40 },
} as const;

/** Vectors of a collection kept in memory: 100,000 of 160 dimensions, 40,000 of 384. */
const VECTOR_CACHE_BYTES = 64 * 1024 * 1024;

/** Vectors read at a time for an exact answer. */
const PIECE_BYTES = 1024 * 1024;

export interface CodesQuery {
  vector: Float32Array;
  topK: number;
  ef: number;
  exact: boolean;
  /** Only these, every one of them: each once, live. */
  rows?: Uint32Array;
}

/** @param use gets what is found, of the state as it was when this was called */
export async function searchCodes<T>(
  state: CollectionState,
  query: CodesQuery,
  use: (view: RowsView, found: Neighbours) => Promise<T>,
): Promise<T> {
  const { index, config, files } = state;
  const { vector, topK, ef, rows: among } = query;
  if (query.exact) return among ? scanVectorsOf(state, among, query, use) : scanVectors(state, query, use);
  files.vectorCache ??= new VectorCache(config.dimensions, VECTOR_CACHE_BYTES, files.mayCache);
  const { factor, extra } = CANDIDATES[config.quantization === 'binary' ? 'binary' : 'int8'];
  const count = Math.ceil(topK * factor) + extra;
  const { rows } = among ? index.searchAmong(vector, among, count) : index.search(vector, count, ef);
  return state.view(rows, async (view) => {
    const vectors = view.vectors();
    const nearest = new Ranking(query, config.metric);
    for (const [at, each] of (vectors instanceof Promise ? await vectors : vectors).entries())
      nearest.offer(rows[at]!, each);
    return use(view, nearest.neighbours());
  });
}

/** Reads the vectors of some rows. */
function scanVectorsOf<T>(
  state: CollectionState,
  rows: Uint32Array,
  query: CodesQuery,
  use: (view: RowsView, found: Neighbours) => Promise<T>,
): Promise<T> {
  const { dimensions, metric } = state.config;
  const nearest = new Ranking(query, metric);
  const rowsPerPiece = rowsPerPieceOf(dimensions);
  return state.view(rows, async (view) => {
    for (let first = 0; first < rows.length; first += rowsPerPiece) {
      const piece = rows.subarray(first, first + rowsPerPiece);
      const records = await view.read(piece, { body: false, vector: true });
      for (const [at, { vector }] of records.entries()) nearest.offer(piece[at]!, vector!);
    }
    return use(view, nearest.neighbours());
  });
}

/** Reads every vector. */
function scanVectors<T>(
  { rows, files, tail, config }: CollectionState,
  query: CodesQuery,
  use: (view: RowsView, found: Neighbours) => Promise<T>,
): Promise<T> {
  const dead = rows.deadRows();
  const { firstRow, endRow } = tail;
  const records = tail.records();
  const held = { firstRow, get: (row: number) => records[row - firstRow] };
  const nearest = new Ranking(query, config.metric);
  const rowsPerPiece = rowsPerPieceOf(config.dimensions);
  return files.read(async () => {
    for (let first = 0; first < firstRow; first += rowsPerPiece) {
      const vectors = await files.vectors(first, Math.min(rowsPerPiece, firstRow - first));
      for (const [at, vector] of vectors.entries())
        if (!dead.has(first + at)) nearest.offer(first + at, vector);
    }
    for (let row = firstRow; row < endRow; row++)
      if (!dead.has(row)) nearest.offer(row, held.get(row)!.vector);
    const found = nearest.neighbours();
    return use(new RowsView(found.rows, { rows, files, tail: held }), found);
  });
}

/** The nearest by their vectors. */
class Ranking {
  readonly #nearest: NearestRows;
  readonly #distanceTo: DistanceTo;

  constructor({ vector, topK }: CodesQuery, metric: Metric) {
    this.#nearest = new NearestRows(topK);
    this.#distanceTo = distancesFrom(vector, metric);
  }

  offer(row: number, vector: Float32Array): void {
    this.#nearest.offer(row, this.#distanceTo(vector));
  }

  neighbours(): Neighbours {
    return this.#nearest.neighbours();
  }
}

function rowsPerPieceOf(dimensions: number): number {
  return Math.max(1, Math.floor(PIECE_BYTES / vectorStrideBytes(dimensions)));
}

import type { Hit, Metadata } from '../base/api.ts';
import type { Neighbours } from '../search/vector-index.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import { decodeMetadata } from './metadata.ts';
import type { CheckedQuery } from './query-plan.ts';

/** Answers from one committed state: rows are found, and their reading begun, in one turn. */
export async function runQuery(state: CollectionState, query: CheckedQuery): Promise<Hit[]> {
  const { vector, topK, ef, exact, minScore, include } = query;
  const found: Neighbours = exact ? state.index.scan(vector, topK) : state.index.search(vector, topK, ef);
  const count = countAbove(found.distances, minScore, state.config.metric);
  const rows = found.rows.subarray(0, count);
  const ids = Array.from(rows, (row) => state.rows.id(row));
  const reading = { body: include.metadata, vector: include.vector };
  const records = reading.body || reading.vector ? await state.read(rows, reading) : [];
  return ids.map((id, index) => {
    const distance = found.distances[index]!;
    const record = records[index];
    return {
      id,
      score: scoreOf(distance, state.config.metric),
      distance,
      metadata: reading.body ? decodeMetadata(record!.body!) : ({} as Metadata),
      // A copy: what is held must not be changed by whoever gets it.
      ...(reading.vector && { vector: record!.vector!.slice() }),
    };
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

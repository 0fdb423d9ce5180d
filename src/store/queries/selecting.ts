/** What choosing among hits has to do with, whatever the choice. */
import type { Hit } from '../../base/api.ts';
import type { CheckedQuery } from '../query-plan.ts';

/** Finds the best hits, best first. */
export type FindHits = (query: CheckedQuery) => Promise<Hit[]>;

/** What a query says of the choice, as it is given, and where. */
export interface GivenSelection extends Record<'groupBy' | 'groupSize' | 'diversity', unknown> {
  path: string;
}

export interface Selecting {
  find: FindHits;
  metric: 'cosine' | 'dot' | 'euclidean';
  /** Lets others have a turn. */
  pause: () => Promise<void>;
}

/** Its scores depend on how many hits words and vector find each. */
export function isHybrid({ text, vector }: CheckedQuery): boolean {
  return text !== undefined && vector.length > 0;
}

/** Without what was read for the choice only. */
export function asIncluded(hits: Hit[], { include }: CheckedQuery): Hit[] {
  return hits.map(({ vector, metadata, ...hit }) => ({
    ...hit,
    metadata: include.metadata ? metadata : {},
    ...(include.vector && vector && { vector }),
  }));
}

/** The public contract: which of the hits a query gives, and what is asked in other ways than by a vector. */
import type { Hit, Metadata, Query } from './api.ts';
import type { ExplainedHits } from './api-reports.ts';

export interface HitSelection {
  /**
   * The best hits of each value of a metadata field (a dotted path), and `topK` values, whenever so many match. Records
   * whose field is missing, or neither string, number nor boolean, are left out. The hits of the best value come first.
   */
  groupBy?: string;
  /** Hits of each value at most. Default 1; with `topK` values at most 10,000 hits. */
  groupSize?: number;
  /**
   * How much it counts that hits differ from one another, 0 (default: not at all) to 1 (besides that of the first, nothing
   * else): maximal marginal relevance, of the best candidates, four times as many as wanted. Hits come in the order of
   * their choice, with the scores that they have anyway. (Carbonell and Goldstein, SIGIR 1998.) Not with `groupBy`.
   */
  diversity?: number;
}

/** A query whose hits are read a page of `topK` after another. Not with `groupBy` or `diversity`. */
export interface PageQuery extends Omit<Query, 'groupBy' | 'groupSize' | 'diversity'> {
  /** Of the page before; the query must be the same in all but `topK`, `include` and `explain`. Left out: the first page. */
  cursor?: string;
}

export interface HitPage<M extends Metadata = Metadata> {
  hits: Hit<M>[];
  /** For the next page; left out with the last one. */
  cursor?: string;
}

/** A page, and how its hits were found: what was looked at for those before it, too. */
export interface ExplainedPage<M extends Metadata = Metadata> extends HitPage<M> {
  hits: ExplainedHits<M>;
}

/**
 * A query for what is like some records: by the average of their vectors, moved away from the average of others by as
 * much as it lies away from it (`2 * positive - negative`, as Qdrant's strategy `average_vector`). Cosine collections
 * average directions: vectors as if they all had length 1.
 */
export interface RecommendQuery extends Omit<Query, 'vector'> {
  /** Ids of records that hits should be like, at least one. No example is among the hits. */
  positive: string[];
  /** Ids of records that hits should not be like. */
  negative?: string[];
}

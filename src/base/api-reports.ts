/** The public contract: what maintenance and `explain` report. */
import type { Hit, Metadata } from './api.ts';

export interface IntegrityReport {
  ok: boolean;
  filesChecked: number;
  bytesChecked: number;
  problems: IntegrityProblem[];
}
export interface IntegrityProblem {
  file: string;
  offset?: number;
  kind: 'checksum' | 'missing' | 'format' | 'reference';
  message: string;
  ids?: string[];
}
export interface RepairReport {
  repaired: IntegrityProblem[];
  recordsRecovered: number;
  recordsLost: { collection: string; ids: string[] }[];
}
export interface CompactResult {
  bytesBefore: number;
  bytesAfter: number;
  recordsDropped: number;
}

/** How a query was answered. Others than those named here may be added. */
export interface QueryPlan {
  /** 'scan': every vector was compared; 'walk': the graph was walked; 'exact': every vector that matches the filter was
   *  compared; 'post-filter': the graph was walked, and what does not match was left out; 'filtered-walk': what matches was walked
   *  in the graph; 'text': texts were ranked by their words, and nothing else. */
  strategy: 'text' | 'scan' | 'walk' | 'exact' | 'post-filter' | 'filtered-walk';
  /** Are the hits certainly the nearest? */
  exact: boolean;
  /** Vectors compared by 'scan' and 'exact'; of walks, how many were kept as the nearest found and looked on from. */
  candidates: number;
  /** Of a query by text and vector: the rest says how the vector's side was searched. */
  fusion?: 'rrf' | 'weighted';
  /** Records that match the filter. */
  matched?: number;
  /** A walk found too little, and everything that matches was compared after all. */
  isFallback?: boolean;
  /** Fields in the filter that are indexed, and others, for which records have been read. */
  indexedFields?: string[];
  unindexedFields?: string[];
  /** Of each stage: 'filter', 'examples' (of `recommend`, read), 'text' (words, looked up and ranked), 'search', 'rank' (candidates by their vectors, where there are codes), 'read' (records). */
  milliseconds: Record<string, number>;
}

/** Hits, and how they were found. */
export type ExplainedHits<M extends Metadata = Metadata> = Hit<M>[] & { plan: QueryPlan };

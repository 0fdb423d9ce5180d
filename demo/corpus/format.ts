/** The corpus as the app serves it: an index, and files of whole addresses. */
import type { Address } from './addresses.ts';

/** Newest first. */
export type CorpusIndex = CorpusEntry[];

export interface CorpusEntry extends Address {
  passageCount: number;
  /** The corpus file, beside the index, that has its passages. */
  file: string;
}

/** Address id -> passages. */
export type CorpusFile = Record<string, string[]>;

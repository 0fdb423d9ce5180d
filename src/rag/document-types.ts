import type { CollectionConfig, Filter, Fusion, Highlight, Metadata, TextOptions } from '../base/api.ts';
import type { Embedder } from './embedder.ts';
import type { SplitOptions } from './split-options.ts';

export interface DocumentsOptions {
  embedder: Embedder;
  /** How texts are split into chunks. Documents that are there keep theirs until they are added again. */
  split?: SplitOptions;
  /** How the collection of chunks is made, the first time. */
  collection?: PassagesConfig;
}

/** Of the collection of chunks. Their texts are always kept and indexed: default `{ language: 'en' }`. */
export type PassagesConfig = Omit<CollectionConfig, 'dimensions' | 'embedding' | 'text'> & {
  text?: { language?: 'en' | 'none' };
};

export interface DocumentInput<M extends Metadata = Metadata> {
  /** 1 to 500 UTF-8 bytes. */
  id: string;
  text: string;
  /** Stored with each of its chunks, to filter by; any names but `passage`. */
  metadata?: M;
}

export interface DocumentInfo<M extends Metadata = Metadata> {
  id: string;
  metadata: M;
  chunks: number;
  /** Of its text. */
  characters: number;
}

export interface AddOptions {
  /** Stops before the next group of documents: ABORTED. What is stored stays. */
  signal?: AbortSignal;
  /** Called whenever documents are stored, or found to be so already. */
  onProgress?: (result: AddResult) => void;
}

export interface AddResult {
  id: string;
  status: 'added' | 'changed' | 'unchanged';
  chunks: number;
  /** Of its chunks, those that had to be embedded. */
  embedded: number;
}

export interface SearchOptions {
  /** Default 10, at most 10000. */
  topK?: number;
  /** On the documents' metadata, and on `passage.document`, `passage.position` and so on. */
  filter?: Filter;
  /** What finds chunks: their meaning, their words, or both, fused. Default 'hybrid'. */
  by?: 'hybrid' | 'meaning' | 'words';
  /** How a hybrid search ranks. Not with another `by`. */
  fusion?: Fusion;
  /** How words are looked for. Not by meaning. */
  textOptions?: TextOptions;
  /** Hits of each document at most; `topK` is then of documents. Default: any number. */
  perDocument?: number;
  /** How much it counts that hits differ from one another, 0 (default) to 1. Not with `perDocument`. */
  diversity?: number;
  /** Only hits with score >= minScore. */
  minScore?: number;
  signal?: AbortSignal;
}

/** A chunk that answers a search. */
export interface PassageHit<M extends Metadata = Metadata> {
  document: string;
  /** Which chunk of its document it is, from 0 on. */
  position: number;
  text: string;
  /** UTF-16 offsets into the document's text. */
  start: number;
  end: number;
  /** Titles of the sections that it begins in, the outermost first. */
  headings: readonly string[];
  /** Higher is better: by meaning the metric's, by words BM25, hybrid the fused score. */
  score: number;
  /** Words of `text` that have been found; none by meaning alone. */
  highlights?: Highlight[];
  /** The document's. */
  metadata: M;
}

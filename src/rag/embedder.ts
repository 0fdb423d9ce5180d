/** What turns texts into vectors. Anything of this shape will do; docs/rag.md shows how to write one. */
export interface Embedder {
  /**
   * Names the model and all that changes its vectors: two embedders have the same one only when their vectors can be
   * compared. It is stored with a collection, which takes vectors of no other.
   */
  readonly fingerprint: string;
  /** Length of each vector. */
  readonly dimensions: number;
  /** One vector for each text, in order. Any number of texts: batching is the embedder's business. */
  embed(texts: string[], options?: EmbedOptions): Promise<Float32Array[]>;
}

export interface EmbedOptions {
  signal?: AbortSignal;
  /** Some models embed what is searched and what it is searched by differently. Default 'document'. */
  purpose?: EmbedPurpose;
}

export type EmbedPurpose = 'document' | 'query';

/** What is put before a text: models of the E5 family want 'query: ' and 'passage: ', for instance. */
export type TextPrefixes = Partial<Record<EmbedPurpose, string>>;

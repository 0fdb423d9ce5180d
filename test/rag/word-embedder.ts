import type { Embedder, EmbedOptions } from '../../src/rag/embedder.ts';

/** Counts words by hash: texts that share words are near each other. It keeps what it was asked for. */
export class WordEmbedder implements Embedder {
  readonly fingerprint: string;
  readonly dimensions: number;
  readonly texts: string[] = [];
  readonly purposes = new Set<EmbedOptions['purpose']>();
  /** Called before each answer. */
  before: () => void | Promise<void> = () => {};

  constructor(fingerprint = 'words', dimensions = 64) {
    this.fingerprint = fingerprint;
    this.dimensions = dimensions;
  }

  async embed(texts: string[], { purpose }: EmbedOptions = {}): Promise<Float32Array[]> {
    await this.before();
    this.texts.push(...texts);
    this.purposes.add(purpose);
    return texts.map((text) => this.#vectorOf(text));
  }

  /** What it was asked for since this was asked. */
  taken(): string[] {
    return this.texts.splice(0);
  }

  #vectorOf(text: string): Float32Array {
    const vector = new Float32Array(this.dimensions).fill(0.01);
    for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
      let hash = 7 + this.fingerprint.length;
      for (const character of word) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
      vector[hash % this.dimensions]! += 1;
    }
    return vector;
  }
}

/** Embeds and stores what the library still lacks, a few passages at a time; can be paused and cancelled. */
import type { Embedder } from './embedder.ts';
import type { Library, LibraryDocument } from './library.ts';

/**
 * Passages embedded and stored together, as one atomic batch: about half a second of work, so that the first answers
 * come at once and a killed browser loses no more than that.
 */
const BATCH_PASSAGES = 8;

export type IndexerState = 'idle' | 'running' | 'paused' | 'failed';

/** Dispatches 'change' with every change of state. */
export class Indexer extends EventTarget {
  readonly #library: Library;
  readonly #embedder: Embedder;
  readonly #textOf: (document: LibraryDocument) => Promise<string[]>;
  #state: IndexerState = 'idle';
  #stop = new AbortController();
  #run = Promise.resolve();
  #error: unknown;

  /** @param textOf answers a document's passages */
  constructor(
    library: Library,
    embedder: Embedder,
    textOf: (document: LibraryDocument) => Promise<string[]>,
  ) {
    super();
    this.#library = library;
    this.#embedder = embedder;
    this.#textOf = textOf;
  }

  get state(): IndexerState {
    return this.#state;
  }

  /** Why the state is 'failed'. */
  get error(): unknown {
    return this.#error;
  }

  /** Starts, or goes on after a pause, until the library lacks nothing. Nothing happens while it runs. */
  start(): void {
    if (this.#state === 'running') return;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#set('running');
    this.#run = this.#work(signal).then(
      () => this.#set(signal.aborted ? 'paused' : 'idle'),
      (error: unknown) => {
        this.#error = error;
        this.#set('failed');
      },
    );
  }

  /** Resolves when nothing more will be stored. What is embedded at this moment is thrown away. */
  async pause(): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }

  /** Drops every document that is not wholly stored yet. */
  async cancel(): Promise<void> {
    await this.pause();
    for (const document of this.#unfinished()) await this.#library.remove(document.id);
    this.#set('idle');
  }

  #unfinished(): LibraryDocument[] {
    return this.#library.documents.filter(({ storedCount, passageCount }) => storedCount < passageCount);
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let document = this.#unfinished()[0]; document; document = this.#unfinished()[0]) {
      const passages = await this.#textOf(document);
      while (document.storedCount < passages.length) {
        if (signal.aborted) return;
        if (!this.#library.get(document.id)) break;
        await this.#store(document, passages, signal);
      }
    }
  }

  async #store(document: LibraryDocument, passages: string[], signal: AbortSignal): Promise<void> {
    const batch = passages.slice(document.storedCount, document.storedCount + BATCH_PASSAGES);
    const embedded = await Promise.all(
      batch.map(async (text) => ({ text, vector: (await this.#embedder.embed(text, { signal })).vector })),
    ).catch((error: unknown) => {
      if (signal.aborted) return [];
      throw error;
    });
    // It may have been removed in the meantime.
    if (embedded.length > 0 && this.#library.get(document.id)) await this.#library.append(document, embedded);
  }

  #set(state: IndexerState): void {
    this.#state = state;
    this.dispatchEvent(new Event('change'));
  }
}

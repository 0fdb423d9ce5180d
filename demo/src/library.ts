/**
 * Everything the demo keeps, and how it uses isovec, the same in a browser and in Node: one collection of passages, searched by their vectors, and one
 * of the documents they come from. What is left to embed is worked out from these two alone, so that a reload, a
 * lost network or a killed browser loses nothing and repeats nothing.
 */
import { type Collection, type Database, destroy, type Hit, open } from 'isovec';

/** Length of a vector of the model, the Universal Sentence Encoder. */
export const DIMENSIONS = 512;

/** Where a document comes from; an own file has no year, speaker and party. */
export type Source = {
  title: string;
  year?: number;
  speaker?: string;
  party?: string;
};

/** What is stored about a document. */
export type DocumentMetadata = Source & {
  passageCount: number;
  /** The corpus file that has the passages of an address. */
  corpusFile?: string;
  /** The passages of an own file, until all of them are embedded and stored. */
  pending?: string[] | undefined;
  /** Set before the passages are removed, so that a removal cut short is finished later. */
  isRemoved?: boolean;
};

/** What is stored beside a passage's vector. */
export type PassageMetadata = Source & { document: string; text: string };

export type LibraryDocument = DocumentMetadata & {
  id: string;
  /** Passages embedded and stored: always the first ones. */
  storedCount: number;
};

export interface Passage {
  text: string;
  vector: Float32Array;
}

export interface Usage {
  storage: Database['storage'];
  diskBytes: number;
  passages: number;
  /** Of the passages, those already in the graph. The others are found too, by an exact scan. */
  passagesInGraph: number;
}

const passageId = (document: string, position: number): string => `${document}#${position}`;
const documentOf = (passage: string): string => passage.slice(0, passage.lastIndexOf('#'));

/** Dispatches 'change' whenever a document is added, grows or goes. */
export class Library extends EventTarget {
  readonly #database: Database;
  readonly #documents: Collection<DocumentMetadata>;
  readonly #passages: Collection<PassageMetadata>;
  readonly #byId = new Map<string, LibraryDocument>();

  /** Whether this visit is the first. */
  readonly isNew: boolean;

  private constructor(
    database: Database,
    isNew: boolean,
    documents: Collection<DocumentMetadata>,
    passages: Collection<PassageMetadata>,
  ) {
    super();
    this.#database = database;
    this.isNew = isNew;
    this.#documents = documents;
    this.#passages = passages;
  }

  /** @param location a name in a browser, a folder in Node */
  static async open(location: string): Promise<Library> {
    const database = await open(location);
    const isNew = (await database.collections()).length === 0;
    const library = new Library(
      database,
      isNew,
      // A list that is only read by id or as a whole: its vectors are a constant.
      await database.collection<DocumentMetadata>('documents', { dimensions: 1, index: { type: 'flat' } }),
      await database.collection<PassageMetadata>('passages', { dimensions: DIMENSIONS, metric: 'cosine' }),
    );
    await library.#load();
    return library;
  }

  /** In the order they were added. */
  get documents(): LibraryDocument[] {
    return [...this.#byId.values()];
  }

  get(id: string): LibraryDocument | undefined {
    return this.#byId.get(id);
  }

  search(vector: Float32Array, topK: number, signal?: AbortSignal): Promise<Hit<PassageMetadata>[]> {
    return this.#passages.query({ vector, topK, ...(signal && { signal }) });
  }

  /** Takes documents in, without their passages yet. */
  async add(documents: (DocumentMetadata & { id: string })[]): Promise<void> {
    if (documents.length === 0) return;
    await this.#documents.insert(documents.map(({ id, ...metadata }) => ({ id, vector: [1], metadata })));
    for (const document of documents) this.#byId.set(document.id, { ...document, storedCount: 0 });
    this.#changed();
  }

  /** Stores the next passages of a document. */
  async append(document: LibraryDocument, passages: Passage[]): Promise<void> {
    const { id, title, year, speaker, party, storedCount } = document;
    const source = {
      title,
      ...(year !== undefined && { year }),
      ...(speaker && { speaker }),
      ...(party && { party }),
    };
    await this.#passages.insert(
      passages.map(({ text, vector }, index) => ({
        id: passageId(id, storedCount + index),
        vector,
        metadata: { document: id, text, ...source },
      })),
    );
    document.storedCount += passages.length;
    const isComplete = document.storedCount === document.passageCount;
    if (isComplete && document.pending && this.#byId.has(id))
      await this.#update(document, { pending: undefined });
    this.#changed();
  }

  async remove(id: string): Promise<void> {
    const document = this.#byId.get(id);
    if (!document) return;
    this.#byId.delete(id);
    this.#changed();
    await this.#update(document, { isRemoved: true });
    await this.#removeRecords(document);
    this.#changed();
  }

  async usage(): Promise<Usage> {
    const [stats, passages] = await Promise.all([this.#database.stats(), this.#passages.info()]);
    return {
      storage: this.#database.storage,
      diskBytes: stats.diskBytes,
      passages: passages.count,
      passagesInGraph: passages.indexed,
    };
  }

  onWarning(listener: (message: string) => void): void {
    this.#database.on('warning', ({ message }) => listener(message));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** Removes the database with all its files. The library is of no use afterwards. */
  async destroy(): Promise<void> {
    await this.#database.close();
    await destroy(this.#database.location);
  }

  async #load(): Promise<void> {
    for await (const { id, metadata } of this.#documents.scan())
      this.#byId.set(id, { ...metadata, id, storedCount: 0 });
    for await (const { id } of this.#passages.scan({ include: [] })) {
      const document = this.#byId.get(documentOf(id));
      if (document) document.storedCount++;
    }
    for (const document of this.documents.filter(({ isRemoved }) => isRemoved)) {
      this.#byId.delete(document.id);
      await this.#removeRecords(document);
    }
  }

  async #removeRecords({ id, passageCount }: LibraryDocument): Promise<void> {
    await this.#passages.delete(
      Array.from({ length: passageCount }, (_, position) => passageId(id, position)),
    );
    await this.#documents.delete(id);
  }

  async #update(document: LibraryDocument, change: Partial<DocumentMetadata>): Promise<void> {
    const { id, storedCount: _, ...metadata } = Object.assign(document, change);
    await this.#documents.update({ id, metadata });
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

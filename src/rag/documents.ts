import { checkNotAborted } from '../base/abort.ts';
import type { Collection, Database, Hit, Metadata, Query, StoredRecord, Transaction } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import { checkAdding, checkDocument, checkOpening, checkSearch } from './check-documents.ts';
import { embedChecked } from './check-vectors.ts';
import { contentHash } from './content-hash.ts';
import {
  openPassages,
  openRegister,
  PASSAGE_KEY,
  type PassageMetadata,
  passageId,
  passageIds,
  REGISTER_VECTOR,
  type Register,
  type RegisterRecord,
  readState,
  registered,
  registerWithin,
  stateWithin,
  writeState,
} from './document-collections.ts';
import type {
  AddOptions,
  AddResult,
  DocumentInfo,
  DocumentInput,
  DocumentsOptions,
  PassageHit,
  SearchOptions,
} from './document-types.ts';
import { isSame } from './reembed.ts';
import { type ResolvedSplitOptions, resolveSplitOptions } from './split-options.ts';
import { splitText, type TextChunk } from './split-text.ts';

/** Chunks embedded and stored together, at least: enough for a model's batches, few enough to lose. */
const GROUP_CHUNKS = 128;

/**
 * Opens the documents of that name, making them if they are not there. They are kept in two collections of `database`,
 * `<name>.documents` and `<name>.passages.<number>`, which nobody else should write to.
 * @throws IsovecError INVALID_ARGUMENT, CONFIG_MISMATCH when they were embedded by another model: see `reembedDocuments`
 */
export async function openDocuments<M extends Metadata = Metadata>(
  database: Database,
  name: string,
  options: DocumentsOptions,
): Promise<DocumentIndex<M>> {
  checkOpening(database, name, options);
  const split = resolveSplitOptions(options.split ?? {});
  const register = await openRegister(database, name);
  const index = new DocumentIndex<M>(database, name, register, options, split);
  await index.check();
  return index;
}

/** What a document is going to be. */
interface Change {
  id: string;
  metadata: Metadata;
  characters: number;
  hash: string;
  chunks: TextChunk[];
  /** What is stored of it now. */
  before: RegisterRecord | undefined;
}

/** Where the chunks are. */
interface Current {
  collection: string;
  passages: Collection<PassageMetadata>;
}

type PassageRecord = StoredRecord<PassageMetadata>;

/** What a group of changes comes to: chunks to store and to delete. */
interface Writing {
  upserts: PassageRecord[];
  deletions: string[];
  results: AddResult[];
}

/** Documents with their chunks, searched by meaning. `openDocuments` makes one. */
export class DocumentIndex<M extends Metadata = Metadata> {
  readonly #database: Database;
  readonly #name: string;
  readonly #register: Register;
  readonly #options: DocumentsOptions;
  readonly #split: ResolvedSplitOptions;
  #current: Promise<Current> | undefined;

  /** @internal */
  constructor(
    database: Database,
    name: string,
    register: Register,
    options: DocumentsOptions,
    split: ResolvedSplitOptions,
  ) {
    this.#database = database;
    this.#name = name;
    this.#register = register;
    this.#options = options;
    this.#split = split;
  }

  /**
   * Splits, embeds and stores a document, all or nothing, in place of the one that has its id. One that has not changed
   * costs nothing; of one that has, the chunks whose text is new are embedded.
   * @throws IsovecError INVALID_ARGUMENT, ABORTED, CONFIG_MISMATCH when others have re-embedded the documents by another
   *         model, what the collections' `upsert` throws; what the embedder throws
   */
  async addDocument(document: DocumentInput<M>, options: AddOptions = {}): Promise<AddResult> {
    const [result] = await this.addDocuments([document], options);
    return result!;
  }

  /**
   * As `addDocument`, for many: their chunks are embedded together, and groups of documents stored together, each wholly
   * or not at all.
   * @returns what became of each, in order
   */
  async addDocuments(
    documents: Iterable<DocumentInput<M>> | AsyncIterable<DocumentInput<M>>,
    options: AddOptions = {},
  ): Promise<AddResult[]> {
    checkAdding(documents, options);
    const { signal, onProgress } = options;
    const results: AddResult[] = [];
    const group = new Map<string, { change: Change; index: number }>();
    let groupChunks = 0;
    const tell = (index: number, result: AddResult) => {
      results[index] = result;
      onProgress?.(result);
    };
    const storeGroup = async () => {
      const entries = [...group.values()];
      group.clear();
      groupChunks = 0;
      const stored = await this.#store(
        entries.map(({ change }) => change),
        signal,
      );
      for (const [at, result] of stored.entries()) tell(entries[at]!.index, result);
    };
    let index = 0;
    for await (const document of documents) {
      checkNotAborted(signal);
      checkDocument(document);
      if (group.has(document.id)) await storeGroup();
      const change = await this.#plan(document);
      if (change.before?.hash === change.hash) tell(index++, unchanged(change));
      else {
        group.set(change.id, { change, index: index++ });
        groupChunks += change.chunks.length;
        if (groupChunks >= GROUP_CHUNKS) await storeGroup();
      }
    }
    if (group.size > 0) await storeGroup();
    return results;
  }

  /** @returns whether it was there */
  async removeDocument(id: string): Promise<boolean> {
    if (!(await this.#register.get(id))) return false;
    return this.#write(async (transaction, passages) => {
      const register = registerWithin(transaction, this.#name);
      const stored = await register.get(id);
      if (!stored) return false;
      const ids = passageIds(id, 0, stored.metadata.chunks);
      if (ids.length > 0) await transaction.collection(passages).delete(ids);
      await register.delete(id);
      return true;
    });
  }

  async document(id: string): Promise<DocumentInfo<M> | undefined> {
    const stored = await this.#register.get(id);
    return stored && infoOf<M>({ ...stored.metadata, id });
  }

  /** All of them, in the order in which they were first added. */
  async *documents(): AsyncGenerator<DocumentInfo<M>> {
    for await (const record of registered(this.#register)) yield infoOf<M>(record);
  }

  /** The chunks that answer `text` best, by their meaning and their words. */
  async search(text: string, options: SearchOptions = {}): Promise<PassageHit<M>[]> {
    checkSearch(text, options);
    const { by = 'hybrid', perDocument, signal, ...rest } = options;
    const embedding = { purpose: 'query' as const, ...(signal && { signal }) };
    const vectors = by === 'words' ? [] : await embedChecked(this.#options.embedder, [text], embedding);
    const query: Query = {
      ...rest,
      ...(perDocument !== undefined && { groupBy: `${PASSAGE_KEY}.document`, groupSize: perDocument }),
      ...(vectors[0] && { vector: vectors[0] }),
      ...(by !== 'meaning' && { text }),
      include: by === 'meaning' ? ['metadata', 'text'] : ['metadata', 'text', 'highlights'],
      ...(signal && { signal }),
    };
    const hits = await this.#read((passages) => passages.query(query));
    return hits.map((hit) => passageHit<M>(hit));
  }

  /** @internal @throws IsovecError CONFIG_MISMATCH when the vectors are another model's */
  async check(): Promise<void> {
    await this.#open();
  }

  async #plan({ id, text, metadata = {} as M }: DocumentInput<M>): Promise<Change> {
    const [hash, stored] = await Promise.all([
      contentHash(text, metadata, this.#split),
      this.#register.get(id),
    ]);
    const before = stored?.metadata;
    const chunks = before?.hash === hash ? [] : splitText(text, this.#split);
    return { id, metadata, characters: text.length, hash, chunks, before };
  }

  /** Others may write meanwhile: what is planned is stored only if it still fits what is there. */
  async #store(changes: Change[], signal: AbortSignal | undefined): Promise<AddResult[]> {
    const vectors = new Map<string, Float32Array>();
    for (;;) {
      const { passages } = await this.#open();
      const stored = await storedPassages(passages, changes);
      for (const { text, vector } of stored.values()) vectors.set(text!, vector);
      const embedded = await this.#embed(changes, vectors, signal);
      const writing = prepare(changes, stored, vectors, embedded);
      const isStored = await this.#write(async (transaction, collection) => {
        if (!(await this.#isAsPlanned(transaction, changes))) return false;
        await this.#apply(transaction, collection, changes, writing);
        return true;
      });
      if (isStored) return writing.results;
      for (const change of changes) change.before = (await this.#register.get(change.id))?.metadata;
    }
  }

  /** Embeds what has no vector yet. @returns the texts */
  async #embed(
    changes: readonly Change[],
    vectors: Map<string, Float32Array>,
    signal: AbortSignal | undefined,
  ): Promise<Set<string>> {
    const texts = new Set(changes.flatMap(({ chunks }) => chunks.map(({ text }) => text)));
    for (const text of vectors.keys()) texts.delete(text);
    const list = [...texts];
    const options = { purpose: 'document' as const, ...(signal && { signal }) };
    const embedded = await embedChecked(this.#options.embedder, list, options);
    checkNotAborted(signal);
    for (const [index, text] of list.entries()) vectors.set(text, embedded[index]!);
    return texts;
  }

  async #isAsPlanned(transaction: Transaction, changes: readonly Change[]): Promise<boolean> {
    const stored = await registerWithin(transaction, this.#name).get(changes.map(({ id }) => id));
    return changes.every(({ before }, index) => stored[index]?.metadata.hash === before?.hash);
  }

  async #apply(
    transaction: Transaction,
    collection: string,
    changes: readonly Change[],
    { upserts, deletions }: Writing,
  ): Promise<void> {
    const passages = transaction.collection<PassageMetadata>(collection);
    if (upserts.length > 0) await passages.upsert(upserts);
    if (deletions.length > 0) await passages.delete(deletions);
    const records = changes.map(({ id, hash, chunks, characters, metadata }) => ({
      id,
      vector: REGISTER_VECTOR,
      metadata: { hash, chunks: chunks.length, characters, metadata },
    }));
    await registerWithin(transaction, this.#name).upsert(records);
  }

  /** In one transaction, and so that whoever re-embeds the documents sees it. */
  async #write<T>(write: (transaction: Transaction, collection: string) => Promise<T>): Promise<T> {
    for (;;) {
      const { collection } = await this.#open();
      const result = await this.#database.transaction(async (transaction) => {
        const state = await stateWithin(transaction, this.#name);
        if (state?.collection !== collection) return undefined;
        const value = await write(transaction, collection);
        await writeState(transaction, this.#name, { collection, version: state.version + 1 });
        return { value };
      });
      if (result) return result.value;
      this.#current = undefined;
    }
  }

  async #read<T>(read: (passages: Collection<PassageMetadata>) => Promise<T>): Promise<T> {
    const { passages } = await this.#open();
    try {
      return await read(passages);
    } catch (error) {
      if (!(error instanceof IsovecError) || error.code !== 'NOT_FOUND') throw error;
      // They have been re-embedded, into another collection.
      this.#current = undefined;
      return read((await this.#open()).passages);
    }
  }

  async #open(): Promise<Current> {
    this.#current ??= this.#openCurrent();
    const opening = this.#current;
    try {
      return await opening;
    } catch (error) {
      if (this.#current === opening) this.#current = undefined;
      throw error;
    }
  }

  async #openCurrent(): Promise<Current> {
    const { embedder, collection: config } = this.#options;
    const { collection } = await readState(this.#database, this.#name, this.#register);
    return { collection, passages: await openPassages(this.#database, collection, embedder, config) };
  }
}

const unchanged = ({ id, before }: Change): AddResult => ({
  id,
  status: 'unchanged',
  chunks: before!.chunks,
  embedded: 0,
});

function infoOf<M extends Metadata>(record: RegisterRecord & { id: string }): DocumentInfo<M> {
  const { id, metadata, chunks, characters } = record;
  return { id, metadata: metadata as M, chunks, characters };
}

async function storedPassages(
  passages: Collection<PassageMetadata>,
  changes: readonly Change[],
): Promise<Map<string, PassageRecord>> {
  const ids = changes.flatMap(({ id, before }) => passageIds(id, 0, before?.chunks ?? 0));
  const records = ids.length > 0 ? await passages.get(ids) : [];
  return new Map(records.flatMap((record) => (record ? [[record.id, record]] : [])));
}

function prepare(
  changes: readonly Change[],
  stored: ReadonlyMap<string, PassageRecord>,
  vectors: ReadonlyMap<string, Float32Array>,
  embedded: ReadonlySet<string>,
): Writing {
  const upserts: PassageRecord[] = [];
  const deletions: string[] = [];
  const results: AddResult[] = [];
  for (const { id, chunks, metadata, before } of changes) {
    for (const [position, { text, ...place }] of chunks.entries()) {
      const record: PassageRecord = {
        id: passageId(id, position),
        vector: vectors.get(text)!,
        text,
        metadata: { ...metadata, [PASSAGE_KEY]: { document: id, position, ...place } },
      };
      if (!isSame(record, stored.get(record.id))) upserts.push(record);
    }
    for (const surplus of passageIds(id, chunks.length, before?.chunks ?? 0)) deletions.push(surplus);
    results.push({
      id,
      status: before ? 'changed' : 'added',
      chunks: chunks.length,
      embedded: chunks.filter(({ text }) => embedded.has(text)).length,
    });
  }
  return { upserts, deletions, results };
}

function passageHit<M extends Metadata>(hit: Hit<PassageMetadata>): PassageHit<M> {
  const { [PASSAGE_KEY]: passage, ...metadata } = hit.metadata;
  const { text = '', score, highlights } = hit;
  return { ...passage, text, score, ...(highlights && { highlights }), metadata: metadata as unknown as M };
}

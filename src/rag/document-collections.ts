/**
 * The two collections behind an index of documents. The register has a record for each document, and one that says
 * which collection holds the chunks: re-embedding makes another one, and takes over by changing that record.
 */
import type {
  Collection,
  CollectionConfig,
  Database,
  Metadata,
  Transaction,
  TransactionCollection,
} from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import type { PassagesConfig } from './document-types.ts';
import type { Embedder } from './embedder.ts';
import type { TextChunk } from './split-text.ts';

/** What the register says of a document. */
export type RegisterRecord = {
  hash: string;
  chunks: number;
  characters: number;
  metadata: Metadata;
};

/** What the register says of the chunks. */
export type PassagesState = {
  /** The collection that has them. */
  collection: string;
  /** How often documents have been written: whoever re-embeds sees that something has changed. */
  version: number;
};

/** In a chunk's metadata, beside its document's. */
export const PASSAGE_KEY = 'passage';

/** What is stored of a chunk, beside its text. */
export type Passage = Omit<TextChunk, 'text'> & {
  document: string;
  position: number;
};

export type PassageMetadata = Metadata & { [PASSAGE_KEY]: Passage };

/** No document has it: theirs hold no such character. */
const STATE_ID = '\0passages';
/** A list that is only read by id or as a whole: its vectors are a constant. */
const REGISTER_CONFIG: CollectionConfig = { dimensions: 1, index: { type: 'flat' } };
export const REGISTER_VECTOR: readonly number[] = [1];

export const registerName = (name: string): string => `${name}.documents`;
const passagesName = (name: string, generation: number): string => `${name}.passages.${generation}`;
export const passageId = (document: string, position: number): string => `${document}#${position}`;
export const passageIds = (document: string, from: number, to: number): string[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => passageId(document, from + index));

export type Register = Collection<RegisterRecord>;

/** @param creates whether it is made where it is not there; else NOT_FOUND */
export async function openRegister(database: Database, name: string, creates = true): Promise<Register> {
  return database.collection<RegisterRecord>(registerName(name), creates ? REGISTER_CONFIG : undefined);
}

/** What takes the place of that collection of chunks, by another model. */
export function nextPassagesName(name: string, collection: string): string {
  return passagesName(name, generationOf(name, collection)! + 1);
}

/** Collections of chunks whose place has been taken. */
export async function outdatedPassages(database: Database, name: string, current: string): Promise<string[]> {
  const generation = generationOf(name, current)!;
  const names = (await database.collections()).map((collection) => collection.name);
  return names.filter((each) => (generationOf(name, each) ?? generation) < generation);
}

function generationOf(name: string, collection: string): number | undefined {
  const prefix = passagesName(name, 0).slice(0, -1);
  const generation = collection.startsWith(prefix) ? Number(collection.slice(prefix.length)) : Number.NaN;
  return Number.isInteger(generation) ? generation : undefined;
}

/** Makes it, the first time. */
export async function readState(
  database: Database,
  name: string,
  register: Register,
): Promise<PassagesState> {
  const stored = await register.get(STATE_ID);
  if (stored) return stored.metadata as unknown as PassagesState;
  return database.transaction(async (transaction) => {
    const known = await stateWithin(transaction, name);
    if (known) return known;
    const state = { collection: passagesName(name, 1), version: 0 };
    await writeState(transaction, name, state);
    return state;
  });
}

export async function stateWithin(
  transaction: Transaction,
  name: string,
): Promise<PassagesState | undefined> {
  const stored = await registerWithin(transaction, name).get(STATE_ID);
  return stored?.metadata as PassagesState | undefined;
}

export async function writeState(
  transaction: Transaction,
  name: string,
  state: PassagesState,
): Promise<void> {
  const metadata = state as unknown as RegisterRecord;
  await registerWithin(transaction, name).upsert({ id: STATE_ID, vector: REGISTER_VECTOR, metadata });
}

export function registerWithin(
  transaction: Transaction,
  name: string,
): TransactionCollection<RegisterRecord> {
  return transaction.collection<RegisterRecord>(registerName(name));
}

/** All documents, in the order in which they were added. */
export async function* registered(register: Register): AsyncGenerator<RegisterRecord & { id: string }> {
  for await (const { id, metadata } of register.scan({ include: ['metadata'] }))
    if (id !== STATE_ID) yield { ...metadata, id };
}

/** @throws IsovecError CONFIG_MISMATCH when its vectors are another model's */
export async function openPassages(
  database: Database,
  collection: string,
  { fingerprint, dimensions }: Embedder,
  config: PassagesConfig = {},
): Promise<Collection<PassageMetadata>> {
  try {
    return await database.collection(collection, {
      text: true,
      ...config,
      dimensions,
      embedding: { fingerprint },
    });
  } catch (cause) {
    if (!(cause instanceof IsovecError) || cause.code !== 'CONFIG_MISMATCH') throw cause;
    const message = `${cause.message}. After a change of the model, reembedDocuments() makes all vectors anew`;
    throw new IsovecError('CONFIG_MISMATCH', message, { details: cause.details ?? {}, cause });
  }
}

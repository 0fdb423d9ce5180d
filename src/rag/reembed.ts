import { checkNotAborted } from '../base/abort.ts';
import type {
  Collection,
  CollectionConfig,
  Database,
  Metadata,
  RecordInput,
  StoredRecord,
} from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import {
  aFunction,
  aName,
  anEmbedder,
  anObject,
  aSignal,
  type Checks,
  checkFields,
  optional,
} from './check.ts';
import { embedChecked } from './check-vectors.ts';
import type { Embedder } from './embedder.ts';

export interface ReembedOptions<M extends Metadata = Metadata> {
  /** The collection that there is. It stays as it is. */
  from: string;
  /** The collection to be made, or gone on with. */
  to: string;
  embedder: Embedder;
  /** What is to be embedded of a record. Default: its `text`. */
  textOf?: (record: StoredRecord<M>) => string;
  /** What is to be otherwise than in `from`, besides dimensions and fingerprint. */
  config?: Omit<Partial<CollectionConfig>, 'dimensions' | 'embedding'>;
  /** Stops before the next batch: ABORTED. What is done stays. */
  signal?: AbortSignal;
  onProgress?: (progress: ReembedProgress) => void;
}

export interface ReembedProgress {
  /** Records that are in the new collection as they are to be. */
  done: number;
  total: number;
}

export interface ReembedResult {
  /** Records that had to be embedded: none where nothing had changed since the last time. */
  embedded: number;
  /** Records that were not in `from` any more. */
  removed: number;
}

/** Embedded and stored together: what is lost when it is cut short. */
const BATCH_RECORDS = 64;

const OPTIONS: Checks<ReembedOptions> = {
  from: aName,
  to: aName,
  embedder: anEmbedder,
  textOf: optional(aFunction),
  config: optional(anObject),
  signal: optional(aSignal),
  onProgress: optional(aFunction),
};

/**
 * Brings a collection's records into another one, with vectors by another model: makes that if need be, embeds what it
 * lacks or what has changed, and removes what is no longer there. Cut short at any point it has lost nothing, and goes on
 * where it was when it is called again; called while others write to `from`, call it again until it finds
 * nothing to do, then use `to` and drop `from`.
 * @throws IsovecError NOT_FOUND, CONFIG_MISMATCH when `to` is there and another model's, ABORTED, INVALID_ARGUMENT, for a
 *         record without text, too; what the embedder throws
 */
export async function reembed<M extends Metadata = Metadata>(
  database: Database,
  options: ReembedOptions<M>,
): Promise<ReembedResult> {
  anObject(database, 'database');
  checkFields(options, 'options', OPTIONS);
  const { from, to, embedder, textOf = ownText, config = {}, signal, onProgress } = options;
  const source = await database.collection<M>(from);
  const target = await database.collection<M>(to, await configLike(source, embedder, config));
  return copyEmbedded({ source, target, embedder, textOf, signal, onProgress });
}

/** A collection's configuration, for another model. */
export async function configLike<M extends Metadata>(
  source: Collection<M>,
  { dimensions, fingerprint }: Embedder,
  changes: Partial<CollectionConfig>,
): Promise<CollectionConfig> {
  const { config } = await source.info();
  return { ...config, ...changes, dimensions, embedding: { fingerprint } };
}

export interface CopyOptions<M extends Metadata> {
  source: Collection<M>;
  target: Collection<M>;
  embedder: Embedder;
  textOf: (record: StoredRecord<M>) => string;
  signal: AbortSignal | undefined;
  onProgress: ((progress: ReembedProgress) => void) | undefined;
}

/** One pass over the source, and one over the target. */
export async function copyEmbedded<M extends Metadata>(options: CopyOptions<M>): Promise<ReembedResult> {
  const { source, target, signal, onProgress } = options;
  const total = await source.count();
  let embedded = 0;
  let done = 0;
  for await (const batch of inBatches(source.scan({ include: ['metadata', 'text'] }))) {
    checkNotAborted(signal);
    embedded += await copyBatch(options, batch);
    done += batch.length;
    onProgress?.({ done, total: Math.max(done, total) });
  }
  let removed = 0;
  for await (const batch of inBatches(target.scan({ include: [] }))) {
    checkNotAborted(signal);
    const ids = batch.map(({ id }) => id);
    const there = await source.get(ids);
    const gone = ids.filter((_, index) => !there[index]);
    if (gone.length > 0) removed += (await target.delete(gone)).deleted;
  }
  return { embedded, removed };
}

async function copyBatch<M extends Metadata>(
  { target, embedder, textOf, signal }: CopyOptions<M>,
  batch: StoredRecord<M>[],
): Promise<number> {
  const there = await target.get(batch.map(({ id }) => id));
  const lacking = batch.filter((record, index) => !isSame(record, there[index]));
  if (lacking.length === 0) return 0;
  const texts = lacking.map(textOf);
  const vectors = await embedChecked(embedder, texts, { purpose: 'document', ...(signal && { signal }) });
  const records = lacking.map(
    ({ id, metadata, text }, index): RecordInput<M> => ({
      id,
      vector: vectors[index]!,
      metadata,
      ...(text !== undefined && { text }),
    }),
  );
  await target.upsert(records);
  return records.length;
}

/** Whether both are, but for their vectors, the same. Metadata is JSON. */
export function isSame<M extends Metadata>(
  record: StoredRecord<M>,
  other: StoredRecord<M> | undefined,
): boolean {
  if (!other) return false;
  return record.text === other.text && JSON.stringify(record.metadata) === JSON.stringify(other.metadata);
}

export function ownText({ id, text }: StoredRecord): string {
  if (text !== undefined) return text;
  const message = `record "${id}" has no text: give textOf, which says what to embed of a record`;
  throw new IsovecError('INVALID_ARGUMENT', message, { details: { path: 'textOf', id } });
}

async function* inBatches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === BATCH_RECORDS) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

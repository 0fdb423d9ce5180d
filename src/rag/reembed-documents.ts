import type { Collection, Database } from '../base/api.ts';
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
import {
  nextPassagesName,
  openRegister,
  outdatedPassages,
  type PassageMetadata,
  readState,
  stateWithin,
  writeState,
} from './document-collections.ts';
import type { DocumentsOptions } from './document-types.ts';
import { configLike, copyEmbedded, ownText, type ReembedProgress, type ReembedResult } from './reembed.ts';

export interface ReembedDocumentsOptions extends Pick<DocumentsOptions, 'embedder' | 'collection'> {
  /** Stops before the next batch: ABORTED. What is done stays, and the documents are the old model's. */
  signal?: AbortSignal;
  onProgress?: (progress: ReembedProgress) => void;
}

const OPTIONS: Checks<ReembedDocumentsOptions> = {
  embedder: anEmbedder,
  collection: optional(anObject),
  signal: optional(aSignal),
  onProgress: optional(aFunction),
};

/**
 * Embeds all chunks of the documents of that name by another model, beside the old ones, and takes over in one step.
 * Until then the documents are searched and written to as before; from then on they are opened by the new model, and
 * whoever has them open by the old one fails with CONFIG_MISMATCH. Cut short at any point, nothing is lost, and the next
 * call goes on. Where they are the embedder's already, nothing happens.
 * @throws IsovecError INVALID_ARGUMENT, NOT_FOUND when there are none, ABORTED; what the embedder throws
 */
export async function reembedDocuments(
  database: Database,
  name: string,
  options: ReembedDocumentsOptions,
): Promise<ReembedResult> {
  anObject(database, 'database');
  aName(name, 'name');
  checkFields(options, 'options', OPTIONS);
  const { embedder, collection: changes = {}, signal, onProgress } = options;
  const register = await openRegister(database, name, false);
  const result = { embedded: 0, removed: 0 };
  for (;;) {
    const { collection, version } = await readState(database, name, register);
    const source = await database.collection<PassageMetadata>(collection);
    if ((await source.info()).config.embedding?.fingerprint === embedder.fingerprint) {
      for (const outdated of await outdatedPassages(database, name, collection))
        await database.dropCollection(outdated);
      return result;
    }
    const next = nextPassagesName(name, collection);
    const target = await openFresh(database, next, await configLike(source, embedder, changes));
    const copying = { source, target, embedder, textOf: ownText, signal, onProgress };
    const { embedded, removed } = await copyEmbedded(copying);
    result.embedded += embedded;
    result.removed += removed;
    await database.transaction(async (transaction) => {
      const state = await stateWithin(transaction, name);
      const isCopied = state?.collection === collection && state.version === version;
      // Otherwise something has been written since the copy was begun: once more.
      if (isCopied) await writeState(transaction, name, { collection: next, version: version + 1 });
    });
  }
}

/** What a call for yet another model has left behind is of no use. */
async function openFresh(
  database: Database,
  name: string,
  config: Parameters<Database['collection']>[1] & object,
): Promise<Collection<PassageMetadata>> {
  try {
    return await database.collection(name, config);
  } catch (error) {
    if (!(error instanceof IsovecError) || error.code !== 'CONFIG_MISMATCH') throw error;
    await database.dropCollection(name);
    return database.collection(name, config);
  }
}

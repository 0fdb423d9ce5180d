/** Checks of what an index of documents is opened with and asked. @throws IsovecError INVALID_ARGUMENT, each of them */

import type { Metadata } from '../base/api.ts';
import { invalid } from '../base/check.ts';
import {
  aFunction,
  aName,
  anEmbedder,
  anObject,
  aSignal,
  aString,
  aWholeNumber,
  type Checks,
  checkFields,
  oneOf,
  optional,
  unchecked,
} from './check.ts';
import { PASSAGE_KEY } from './document-collections.ts';
import type { AddOptions, DocumentInput, DocumentsOptions, SearchOptions } from './document-types.ts';

/** A collection's ids have 512 bytes; the rest says which chunk it is. */
const ID_BYTES_MAX = 500;

const OPENING: Checks<DocumentsOptions> = {
  embedder: anEmbedder,
  split: optional(anObject),
  collection: optional(anObject),
};

const ADDING: Checks<AddOptions> = { signal: optional(aSignal), onProgress: optional(aFunction) };

/** The rest is checked by the collection's `query`. */
const SEARCH: Checks<SearchOptions> = {
  by: optional(oneOf(['hybrid', 'meaning', 'words'])),
  perDocument: optional(aWholeNumber(1)),
  signal: optional(aSignal),
  topK: unchecked,
  filter: unchecked,
  fusion: unchecked,
  textOptions: unchecked,
  diversity: unchecked,
  minScore: unchecked,
};

const DOCUMENT: Checks<DocumentInput> = {
  id: checkId,
  text: aString,
  metadata: optional(checkMetadata),
};

export function checkOpening(database: unknown, name: unknown, options: unknown): void {
  anObject(database, 'database');
  aName(name, 'name');
  checkFields(options, 'options', OPENING);
}

export function checkAdding(documents: unknown, options: unknown): void {
  const { [Symbol.iterator]: all, [Symbol.asyncIterator]: each } = Object(documents);
  if (typeof (all ?? each) !== 'function' || typeof documents === 'string')
    throw invalid('documents', 'an iterable of documents', documents);
  checkFields(options, 'options', ADDING);
}

export function checkDocument<M extends Metadata>(document: DocumentInput<M>): void {
  checkFields(document, 'document', DOCUMENT, 'document');
}

export function checkSearch(text: unknown, options: unknown): void {
  aString(text, 'text');
  checkFields(options, 'options', SEARCH);
  const { by = 'hybrid', fusion, textOptions } = options as SearchOptions;
  if (fusion !== undefined && by !== 'hybrid')
    throw invalid('fusion', `left out where only ${by} ${by === 'words' ? 'find' : 'finds'} chunks`, fusion);
  if (textOptions !== undefined && by === 'meaning')
    throw invalid('textOptions', 'left out where only meaning finds chunks', textOptions);
}

function checkId(id: unknown, path: string): void {
  if (typeof id !== 'string' || id === '' || id.startsWith('\0')) throw invalid(path, 'a string', id);
  if (new TextEncoder().encode(id).length > ID_BYTES_MAX)
    throw invalid(path, `of at most ${ID_BYTES_MAX} UTF-8 bytes`, id);
}

function checkMetadata(metadata: unknown, path: string): void {
  anObject(metadata, path);
  if (PASSAGE_KEY in (metadata as object))
    throw invalid(path, `without a field "${PASSAGE_KEY}", which is the index's own`, metadata);
}

import { afterEach, beforeEach, expect, it } from 'vitest';
import { IsovecError } from '../../src/base/errors.ts';
import {
  type DocumentIndex,
  openAIEmbedder,
  openDocuments,
  type PassageHit,
  reembed,
  reembedDocuments,
  renderContext,
  splitText,
  transformersEmbedder,
  universalSentenceEncoder,
} from '../../src/rag/index.ts';
import { databases, WordEmbedder } from './fixture.ts';

const open = databases();
let database: Awaited<ReturnType<typeof open>>;
let index: DocumentIndex;
/** What is there may not change. */
let names: string[];

const collections = async () => (await database.collections()).map(({ name }) => name);

beforeEach(async () => {
  database = await open();
  index = await openDocuments(database, 'notes', { embedder: new WordEmbedder() });
  await index.addDocument({ id: 'a', text: 'The ferry leaves at noon.' });
  names = await collections();
});

afterEach(async () => {
  expect(await collections()).toEqual(names);
  expect(await index.search('ferry')).toHaveLength(1);
});

const NAN = () => Number.NaN;
const RRF = { method: 'rrf' };
const embedder = new WordEmbedder();
const model = { model: 'm', dimensions: 3 };
const hits: PassageHit[] = [
  { document: 'a', position: 0, text: 'noon', start: 0, end: 4, headings: [], score: 1, metadata: {} },
];
const opened = (options?: unknown) => openDocuments(database, 'others', options as never);
const added = (document: unknown, options?: unknown) =>
  index.addDocument(document as never, options as never);
const addedAll = (documents: unknown) => index.addDocuments(documents as never);
const found = (text: unknown, options?: unknown) => index.search(text as never, options as never);
const rendered = (of: unknown, options?: unknown) => renderContext(of as never, options as never);
const split = (text: unknown, options?: unknown) => splitText(text as never, options as never);
const remote = (options?: unknown) => openAIEmbedder(options as never);
const local = (options?: unknown) => transformersEmbedder(options as never);
const copied = (options?: unknown) => reembed(database, options as never);
const giving = (vectors: unknown) => ({ fingerprint: 'f', dimensions: 3, embed: async () => vectors });
const searchedBy = async (vectors: unknown) => {
  const database = await open();
  const notes = await openDocuments(database, 'notes', { embedder: giving(vectors) as never });
  return notes.addDocument({ id: 'a', text: 'a' });
};

it.each<[path: string, what: string, () => unknown]>([
  [
    'database',
    'openDocuments without a database',
    () => openDocuments(...([] as never as [never, never, never])),
  ],
  ['name', 'documents without a name', () => openDocuments(database, '', { embedder })],
  ['options', 'openDocuments without options', () => opened()],
  ['embedder', 'openDocuments without an embedder', () => opened({})],
  ['embedder', 'an embedder that is null', () => opened({ embedder: null })],
  [
    'embedder.embed',
    'an embedder without embed',
    () => opened({ embedder: { fingerprint: 'f', dimensions: 3 } }),
  ],
  [
    'embedder.fingerprint',
    'an embedder without a fingerprint',
    () => opened({ embedder: { ...giving([]), fingerprint: '' } }),
  ],
  [
    'embedder.dimensions',
    'an embedder of no dimensions',
    () => opened({ embedder: { ...giving([]), dimensions: '3' } }),
  ],
  ['model', 'an unknown option of openDocuments', () => opened({ embedder, model: 'm' })],
  ['split', 'split that is no object', () => opened({ embedder, split: 5 })],
  ['unit', 'an unknown unit', () => opened({ embedder, split: { unit: 'x' } })],
  ['embedder.embed', 'an embedder that gives null', () => searchedBy(null)],
  ['embedder.embed', 'an embedder that gives null for a text', () => searchedBy([null])],
  ['document', 'no document', () => added(undefined)],
  ['document', 'a document that is null', () => added(null)],
  ['document.id', 'a document without an id', () => added({ text: 'a' })],
  ['document.text', 'a document without a text', () => added({ id: 'a' })],
  ['document.metadata', 'metadata that is a number', () => added({ id: 'a', text: 'a', metadata: 5 })],
  ['document.metadata', 'metadata that is null', () => added({ id: 'a', text: 'a', metadata: null })],
  ['document.title', 'an unknown field of a document', () => added({ id: 'a', text: 'a', title: 'a' })],
  ['options', 'options of addDocument that are null', () => added({ id: 'b', text: 'b' }, null)],
  ['retries', 'an unknown option of addDocument', () => added({ id: 'b', text: 'b' }, { retries: 1 })],
  ['signal', 'a signal that is none', () => added({ id: 'b', text: 'b' }, { signal: 5 })],
  ['documents', 'one document for many', () => addedAll({ id: 'b', text: 'b' })],
  ['documents', 'no documents', () => addedAll(undefined)],
  ['text', 'a search for undefined', () => found(undefined)],
  ['text', 'a search for a number', () => found(5)],
  ['options', 'options of search that are null', () => found('a', null)],
  ['top', 'an unknown option of search', () => found('a', { top: 5 })],
  ['fusion', 'fusing what meaning alone finds', () => found('a', { by: 'meaning', fusion: RRF })],
  ['fusion', 'fusing what words alone find', () => found('a', { by: 'words', fusion: RRF })],
  ['textOptions', 'options of words by meaning', () => found('a', { by: 'meaning', textOptions: {} })],
  ['perDocument', 'no hit of each document', () => found('a', { perDocument: 0 })],
  ['options', 'renderContext without options', () => rendered(hits)],
  ['tokens', 'renderContext without tokens', () => rendered(hits, {})],
  ['countTokens', 'countTokens that is a number', () => rendered(hits, { tokens: 9, countTokens: 5 })],
  ['countTokens', 'countTokens that gives NaN', () => rendered(hits, { tokens: 9, countTokens: NAN })],
  ['order', 'an unknown order', () => rendered(hits, { tokens: 9, order: 'x' })],
  ['label', 'a label that gives nothing', () => rendered(hits, { tokens: 9, label: () => undefined })],
  ['label', 'a label that is a string', () => rendered(hits, { tokens: 9, label: 'x' })],
  ['size', 'an unknown option of renderContext', () => rendered(hits, { tokens: 9, size: 9 })],
  ['hits', 'no hits', () => rendered(undefined, { tokens: 9 })],
  ['hits[1]', 'a hit that is null', () => rendered([hits[0], null], { tokens: 9 })],
  ['hits[0].document', 'a hit of no document', () => rendered([{}], { tokens: 9 })],
  ['text', 'splitting undefined', () => split(undefined)],
  ['options', 'options of splitText that are null', () => split('a', null)],
  ['length', 'an unknown option of splitText', () => split('a', { length: 5 })],
  ['countTokens', 'splitting by a count of NaN', () => split('a', { unit: 'tokens', countTokens: NAN })],
  ['options', 'openAIEmbedder without options', () => remote()],
  ['model', 'openAIEmbedder without a model', () => remote({})],
  ['dimensions', 'openAIEmbedder without dimensions', () => remote({ model: 'm' })],
  ['dimensions', 'openAIEmbedder of no dimensions', () => remote({ model: 'm', dimensions: 0 })],
  ['requestDimensions', 'dimensions to request', () => remote({ ...model, requestDimensions: 3 })],
  ['baseUrl', 'an address that is none', () => remote({ ...model, baseUrl: 'nowhere' })],
  ['baseUrl', 'an address of a file', () => remote({ ...model, baseUrl: 'file:///v1' })],
  ['apiKey', 'a key that is a number', () => remote({ ...model, apiKey: 5 })],
  ['headers.x', 'a header that is a number', () => remote({ ...model, headers: { x: 5 } })],
  ['prefixes.query', 'a prefix that is a number', () => remote({ ...model, prefixes: { query: 5 } })],
  ['prefixes.text', 'a prefix of something else', () => remote({ ...model, prefixes: { text: '' } })],
  ['batchSize', 'batches of nothing', () => remote({ ...model, batchSize: 0 })],
  ['batchSize', 'batches of half a text', () => remote({ ...model, batchSize: 0.5 })],
  ['retriesMax', 'fewer tries than none', () => remote({ ...model, retriesMax: -1 })],
  ['timeoutMs', 'a time-out longer than timers hold', () => remote({ ...model, timeoutMs: 2 ** 31 })],
  ['fingerprint', 'an empty fingerprint', () => remote({ ...model, fingerprint: '' })],
  ['baseURL', 'an unknown option of openAIEmbedder', () => remote({ ...model, baseURL: 'http://a' })],
  ['options', 'transformersEmbedder without options', () => local()],
  ['model', 'transformersEmbedder without a model', () => local({})],
  ['pipeline', 'a pipeline that is a name', () => local({ model: 'm', pipeline: 'x' })],
  ['module.pipeline', 'a module of something else', () => local({ model: 'm', module: {} })],
  ['batchSize', 'batches of nothing, for transformers', () => local({ model: 'm', batchSize: 0 })],
  ['pooling', 'an unknown pooling', () => local({ model: 'm', pooling: 'max' })],
  ['model', 'no model', () => universalSentenceEncoder(undefined as never)],
  ['options', 'reembed without options', () => copied()],
  ['from', 'reembed from nowhere', () => copied({ to: 'b', embedder })],
  ['embedder', 'reembed without an embedder', () => copied({ from: 'notes.documents', to: 'b' })],
  [
    'options',
    'reembedDocuments without options',
    () => reembedDocuments(database, 'notes', undefined as never),
  ],
  [
    'embedder',
    'reembedDocuments without an embedder',
    () => reembedDocuments(database, 'notes', {} as never),
  ],
])('%s: %s is refused, and changes nothing', async (path, _what, act) => {
  const error = await (async () => act())().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(IsovecError);
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { path } });
  expect((error as Error).message).toContain(path);
});

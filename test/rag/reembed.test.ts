import { describe, expect, it } from 'vitest';
import { openDocuments } from '../../src/rag/documents.ts';
import { reembed } from '../../src/rag/reembed.ts';
import { reembedDocuments } from '../../src/rag/reembed-documents.ts';
import { databases, WordEmbedder } from './fixture.ts';

const open = databases();
const split = { size: 60, overlap: 0 };
const fresh = new WordEmbedder('fresh', 32);

type Note = { text: string };
const textOf = ({ metadata }: { metadata: Note }): string => metadata.text;

async function databaseWithNotes(count: number) {
  const database = await open();
  const old = new WordEmbedder();
  const notes = await database.collection<Note>('old', {
    dimensions: old.dimensions,
    metric: 'dot',
    embedding: { fingerprint: old.fingerprint },
  });
  const texts = Array.from({ length: count }, (_, index) => `note of number ${index}`);
  const vectors = await old.embed(texts);
  await notes.insert(
    texts.map((text, index) => ({ id: `${index}`, vector: vectors[index]!, metadata: { text } })),
  );
  return { database, notes };
}

describe('re-embedding a collection', () => {
  it('makes another one, configured alike, with the new vectors, and leaves the old one as it is', async () => {
    const { database, notes } = await databaseWithNotes(150);
    const before = await notes.get('7');
    const done: number[] = [];
    const options = { from: 'old', to: 'new', embedder: fresh, textOf };
    const result = await reembed(database, {
      ...options,
      onProgress: (progress) => done.push(progress.done),
    });
    expect(result).toEqual({ embedded: 150, removed: 0 });
    expect(done).toEqual([64, 128, 150]);
    const made = await database.collection<Note>('new');
    expect((await made.info()).config).toMatchObject({
      dimensions: 32,
      metric: 'dot',
      embedding: { fingerprint: 'fresh' },
    });
    const [expected] = await fresh.embed(['note of number 7']);
    expect(await made.get('7')).toEqual({
      id: '7',
      vector: expected,
      metadata: { text: 'note of number 7' },
    });
    expect(await notes.get('7')).toEqual(before);
  });

  it('goes on where it was cut short, and takes in what has changed since', async () => {
    const { database, notes } = await databaseWithNotes(150);
    const options = { from: 'old', to: 'new', embedder: fresh, textOf };
    const stop = new AbortController();
    const cut = reembed(database, { ...options, signal: stop.signal, onProgress: () => stop.abort() });
    await expect(cut).rejects.toMatchObject({ code: 'ABORTED' });
    await notes.update({ id: '3', metadata: { text: 'another note' } });
    await notes.delete('4');
    expect(await reembed(database, options)).toEqual({ embedded: 150 - 64 + 1, removed: 1 });
    expect(await reembed(database, options)).toEqual({ embedded: 0, removed: 0 });
    expect(await (await database.collection('new')).count()).toBe(149);
  });

  it('refuses a record of which it does not know what to embed, and a target of another model', async () => {
    const { database } = await databaseWithNotes(1);
    const options = { from: 'old', to: 'new', embedder: fresh };
    await expect(reembed(database, options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path: 'textOf', id: '0' },
    });
    const other = new WordEmbedder('other', 32);
    await expect(reembed(database, { ...options, embedder: other })).rejects.toMatchObject({
      code: 'CONFIG_MISMATCH',
    });
    await expect(reembed(database, { ...options, from: 'none' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('re-embedding documents', () => {
  const documents = Array.from({ length: 40 }, (_, index) => ({
    id: `${index}`,
    text: `# Title ${index}\n\nThis is about ${index}. And this is a second sentence of the document.`,
  }));

  async function databaseWithDocuments() {
    const database = await open();
    const old = await openDocuments(database, 'notes', { embedder: new WordEmbedder(), split });
    await old.addDocuments(documents);
    return { database, old };
  }

  it('takes over in one step: the new model opens them, nothing has to be added again, the old model is refused', async () => {
    const { database, old } = await databaseWithDocuments();
    expect((await reembedDocuments(database, 'notes', { embedder: fresh })).embedded).toBe(80);
    const renewed = await openDocuments(database, 'notes', { embedder: fresh, split });
    expect((await renewed.addDocuments(documents)).every(({ status }) => status === 'unchanged')).toBe(true);
    expect((await renewed.search('about 7', { topK: 1 }))[0]).toMatchObject({ document: '7', position: 0 });
    const refused = { code: 'CONFIG_MISMATCH' };
    await expect(old.search('about 7')).rejects.toMatchObject(refused);
    await expect(old.addDocument({ id: 'x', text: 'x' })).rejects.toMatchObject(refused);
    const names = (await database.collections()).map(({ name }) => name);
    expect(names).toEqual(['notes.documents', 'notes.passages.2']);
    fresh.taken();
    expect(await reembedDocuments(database, 'notes', { embedder: fresh })).toEqual({
      embedded: 0,
      removed: 0,
    });
    expect(fresh.taken()).toEqual([]);
  });

  it('is no hindrance to those who write meanwhile, and loses nothing of it', async () => {
    const { database, old } = await databaseWithDocuments();
    const embedder = new WordEmbedder('meanwhile', 32);
    let call = 0;
    embedder.before = async () => {
      if (++call > 3) return;
      await old.addDocument({ id: `new ${call}`, text: 'Something new has come.' });
      await old.addDocument({ id: '5', text: `Changed ${call} times.` });
      await old.removeDocument(`${call}`);
    };
    await reembedDocuments(database, 'notes', { embedder });
    const renewed = await openDocuments(database, 'notes', { embedder, split });
    const ids = [];
    let chunks = 0;
    for await (const document of renewed.documents()) {
      ids.push(document.id);
      chunks += document.chunks;
    }
    expect(ids).toEqual([
      ...documents.map(({ id }) => id).filter((id) => !['1', '2', '3'].includes(id)),
      'new 1',
      'new 2',
      'new 3',
    ]);
    const hits = await renewed.search('', { by: 'meaning', topK: 1000 });
    expect(hits).toHaveLength(chunks);
    expect(hits.find(({ document }) => document === '5')!.text).toBe('Changed 3 times.');
  });

  it('cut short, leaves the documents as they were; the next call goes on, or begins anew for another model', async () => {
    const { database, old } = await databaseWithDocuments();
    const stop = new AbortController();
    const cut = reembedDocuments(database, 'notes', {
      embedder: fresh,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(cut).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await old.search('about 7')).not.toEqual([]);
    const other = new WordEmbedder('yet another', 16);
    expect((await reembedDocuments(database, 'notes', { embedder: other })).embedded).toBe(80);
    const renewed = await openDocuments(database, 'notes', { embedder: other, split });
    expect((await renewed.search('about 7', { topK: 1 }))[0]!.document).toBe('7');
  });

  it('fails where there are no documents', async () => {
    await expect(reembedDocuments(await open(), 'none', { embedder: fresh })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

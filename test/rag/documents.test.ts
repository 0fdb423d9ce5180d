import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DocumentInput, SearchOptions } from '../../src/rag/document-types.ts';
import { type DocumentIndex, openDocuments } from '../../src/rag/documents.ts';
import { splitText } from '../../src/rag/split-text.ts';
import { databases, WordEmbedder } from './fixture.ts';

const open = databases();
const split = { size: 60, overlap: 0 };
const CATS = 'Cats sleep for most of the day. They hunt at dusk and at dawn.';
const FERRY = 'The ferry leaves at noon. It takes an hour to the island and back.';

async function listed(index: DocumentIndex): Promise<DocumentInput[]> {
  const found: DocumentInput[] = [];
  for await (const { id, metadata } of index.documents()) {
    // Without overlap, the chunks of a text with single spaces are the text.
    const hits = await index.search('', { by: 'meaning', topK: 1000, filter: { 'passage.document': id } });
    const parts = hits.sort((a, b) => a.position - b.position).map(({ text }) => text);
    found.push({ id, text: parts.join(' '), metadata });
  }
  return found;
}

describe('documents', () => {
  it('are split, embedded, stored, found and listed', async () => {
    const embedder = new WordEmbedder();
    const index = await openDocuments(await open(), 'notes', { embedder, split });
    expect(
      await index.addDocument({ id: 'cats', text: `# Pets\n\n${CATS}`, metadata: { year: 1999 } }),
    ).toEqual({
      id: 'cats',
      status: 'added',
      chunks: 2,
      embedded: 2,
    });
    await index.addDocument({ id: 'ferry', text: FERRY });
    const [hit] = await index.search('When do they hunt?', { by: 'meaning', topK: 1 });
    expect(hit).toEqual({
      document: 'cats',
      position: 1,
      text: 'They hunt at dusk and at dawn.',
      start: 40,
      end: 70,
      headings: ['Pets'],
      metadata: { year: 1999 },
      score: expect.any(Number),
    });
    expect(await index.search('hunt', { filter: { year: { $ne: 1999 } } })).toHaveLength(2);
    expect(embedder.purposes).toEqual(new Set(['document', 'query']));
    const infos = [];
    for await (const info of index.documents()) infos.push(info);
    expect(infos).toEqual([
      { id: 'cats', metadata: { year: 1999 }, chunks: 2, characters: 70 },
      { id: 'ferry', metadata: {}, chunks: 2, characters: FERRY.length },
    ]);
    expect(await index.document('ferry')).toEqual(infos[1]);
    expect(await index.document('none')).toBeUndefined();
  });

  it('give as many hits as they may, or hits that differ', async () => {
    const index = await openDocuments(await open(), 'notes', { embedder: new WordEmbedder(), split });
    await index.addDocuments([
      { id: 'cats', text: `${CATS} ${CATS} ${CATS}` },
      { id: 'ferry', text: FERRY },
    ]);
    const found = async (options: SearchOptions) =>
      (await index.search('cats sleep for most of the day', { by: 'meaning', ...options })).map(
        ({ document }) => document,
      );
    expect(await found({ topK: 3 })).toEqual(['cats', 'cats', 'cats']);
    expect(await found({ topK: 3, perDocument: 1 })).toEqual(['cats', 'ferry']);
    expect(await found({ topK: 3, perDocument: 2 })).toEqual(['cats', 'cats', 'ferry', 'ferry']);
    expect(await found({ topK: 3, perDocument: 1, by: 'hybrid' })).toEqual(['cats', 'ferry']);
    expect(await found({ topK: 3, perDocument: 1, by: 'words' })).toEqual(['cats']);
    const texts = async (options: SearchOptions) =>
      new Set(
        (await index.search('cats sleep', { by: 'meaning', topK: 2, ...options })).map(({ text }) => text),
      ).size;
    expect(await texts({})).toBe(1);
    expect(await texts({ diversity: 0.5 })).toBe(2);
  });

  it('are found by their meaning, by their words, or by both, with the words that have been found', async () => {
    const embedder = new WordEmbedder();
    // It knows no word of this: whatever finds it is not its vector.
    const text = 'Ἀχιλλεύς';
    const index = await openDocuments(await open(), 'notes', { embedder, split });
    await index.addDocuments([
      { id: 'cats', text: CATS },
      { id: 'ferry', text: FERRY },
      { id: 'hero', text },
    ]);
    embedder.taken();
    const [byWords, ...others] = await index.search(text, { by: 'words' });
    expect(byWords).toMatchObject({ document: 'hero', text, highlights: [{ start: 0, end: text.length }] });
    expect(others).toEqual([]);
    expect(embedder.taken()).toEqual([]);
    const hybrid = await index.search(`${text} sleep`, { topK: 2 });
    expect(new Set(hybrid.map(({ document }) => document))).toEqual(new Set(['hero', 'cats']));
    expect(embedder.taken()).toEqual([`${text} sleep`]);
    const [byMeaning] = await index.search('sleep', { by: 'meaning' });
    expect(byMeaning).toMatchObject({ document: 'cats', position: 0 });
    expect(byMeaning).not.toHaveProperty('highlights');
    await expect(index.search('x', { by: 'smell' as never })).rejects.toMatchObject({
      details: { path: 'by' },
    });
  });

  it('that have not changed cost nothing, and of others only chunks with new text are embedded', async () => {
    const database = await open();
    const embedder = new WordEmbedder();
    const index = await openDocuments(database, 'notes', { embedder, split });
    const document = { id: 'a', text: `${CATS} ${FERRY}`, metadata: { tag: 1 } };
    await index.addDocument(document);
    const sequence = async () => (await database.stats()).log.lastSequence;
    const before = await sequence();
    embedder.taken();
    expect((await index.addDocument(document)).status).toBe('unchanged');
    expect(embedder.taken()).toEqual([]);
    expect(await sequence()).toBe(before);

    const preface = 'This is a new first sentence which fills up the first chunk.';
    const changed = await index.addDocument({ ...document, text: `${preface} ${document.text}` });
    expect(changed).toMatchObject({ status: 'changed', chunks: 4, embedded: 1 });
    expect(embedder.taken()).toEqual([preface]);

    expect(await index.addDocument({ ...document, metadata: { tag: 2 } })).toMatchObject({
      chunks: 3,
      embedded: 0,
    });
    expect(embedder.taken()).toEqual([]);
    expect(await index.search('cats', { filter: { tag: 1 } })).toEqual([]);
    expect(await index.search('cats', { filter: { tag: 2 } })).toHaveLength(3);

    const resplit = await openDocuments(database, 'notes', { embedder, split: { size: 1000 } });
    expect((await resplit.addDocument({ ...document, metadata: { tag: 2 } })).chunks).toBe(1);
  });

  it('are those of a plain map, whatever is added, changed and removed', async () => {
    const sentence = fc.constantFrom(...`${CATS} ${FERRY} Nothing else is said.`.split(/(?<=\.) /));
    const text = fc.array(sentence, { maxLength: 8 }).map((sentences) => sentences.join(' '));
    const id = fc.constantFrom('a', 'a#0', 'b', '✓');
    const step = fc.oneof(
      fc.record({
        add: fc.array(fc.record({ id, text, metadata: fc.record({ n: fc.nat(2) }) }), { maxLength: 5 }),
      }),
      fc.record({ remove: id }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const index = await openDocuments(await open(), 'notes', { embedder: new WordEmbedder(), split });
        const model = new Map<string, DocumentInput>();
        for (const each of steps) {
          if ('remove' in each)
            expect(await index.removeDocument(each.remove)).toBe(model.delete(each.remove));
          else {
            const statuses = each.add.map((document) => {
              const known = model.get(document.id);
              model.set(document.id, document);
              if (!known) return 'added';
              return JSON.stringify(known) === JSON.stringify(document) ? 'unchanged' : 'changed';
            });
            expect((await index.addDocuments(each.add)).map(({ status }) => status)).toEqual(statuses);
          }
        }
        const sorted = (documents: Iterable<DocumentInput>) =>
          [...documents].sort((a, b) => (a.id < b.id ? -1 : 1));
        expect(sorted(await listed(index))).toEqual(sorted(model.values()));
      }),
      { numRuns: 30 },
    );
  });

  it('are embedded together, from an iterable that need not be in memory', async () => {
    const embedder = new WordEmbedder();
    let calls = 0;
    embedder.before = () => void calls++;
    const index = await openDocuments(await open(), 'notes', { embedder, split });
    async function* many() {
      for (let number = 0; number < 300; number++)
        yield { id: String(number), text: `Document of number ${number}.` };
    }
    const told: string[] = [];
    const results = await index.addDocuments(many(), { onProgress: ({ id }) => told.push(id) });
    expect(results.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, number) => String(number)));
    expect(told).toEqual(results.map(({ id }) => id));
    expect(calls).toBe(3);
  });

  it('leave nothing behind when embedding fails, or is aborted', async () => {
    const embedder = new WordEmbedder();
    const index = await openDocuments(await open(), 'notes', { embedder, split });
    await index.addDocument({ id: 'a', text: CATS });
    embedder.before = () => {
      throw new Error('out of order');
    };
    await expect(index.addDocument({ id: 'a', text: FERRY })).rejects.toThrow('out of order');
    const stop = new AbortController();
    embedder.before = () => stop.abort();
    await expect(index.addDocument({ id: 'b', text: FERRY }, stop)).rejects.toMatchObject({
      code: 'ABORTED',
    });
    embedder.before = () => {};
    expect(await listed(index)).toEqual([{ id: 'a', text: CATS, metadata: {} }]);
    const broken = {
      ...embedder,
      fingerprint: 'words',
      dimensions: 64,
      embed: async () => [new Float32Array(3)],
    };
    const other = await openDocuments(await open(), 'notes', { embedder: broken, split });
    await expect(other.addDocument({ id: 'c', text: 'c' })).rejects.toMatchObject({
      code: 'DIMENSION_MISMATCH',
    });
  });

  it('are whole when two add the same one at once', async () => {
    const database = await open();
    const indexes = await Promise.all(
      Array.from({ length: 4 }, () =>
        openDocuments(database, 'notes', { embedder: new WordEmbedder(), split }),
      ),
    );
    const texts = [CATS, FERRY, `${CATS} ${FERRY}`, ''];
    await Promise.all(indexes.map((index, number) => index.addDocument({ id: 'a', text: texts[number]! })));
    const [document] = await listed(indexes[0]!);
    expect(texts).toContain(document!.text);
    expect(document!.text).toHaveLength((await indexes[0]!.document('a'))!.characters);
  });

  it('are opened by the model that they were embedded by, and no other', async () => {
    const database = await open();
    await openDocuments(database, 'notes', { embedder: new WordEmbedder() });
    for (const embedder of [new WordEmbedder('others'), new WordEmbedder('words', 32)])
      await expect(openDocuments(database, 'notes', { embedder })).rejects.toMatchObject({
        code: 'CONFIG_MISMATCH',
        message: expect.stringContaining('reembedDocuments'),
      });
  });

  it.each([
    [{ id: '', text: '' }, 'document.id'],
    [{ id: '\0passages', text: '' }, 'document.id'],
    [{ id: 'x'.repeat(501), text: '' }, 'document.id'],
    [{ id: 'a', text: 1 }, 'document.text'],
    [{ id: 'a', text: '', metadata: { passage: 1 } }, 'document.metadata'],
  ])('refuses what is no document: case %#', async (document, path) => {
    const index = await openDocuments(await open(), 'notes', { embedder: new WordEmbedder() });
    await expect(index.addDocument(document as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path },
    });
  });

  it('of ten megabytes are one batch', async () => {
    const index = await openDocuments(await open(), 'notes', { embedder: new WordEmbedder() });
    const text = `${CATS}\n\n`.repeat(160_000);
    const { chunks } = await index.addDocument({ id: 'long', text });
    expect(chunks).toBe(splitText(text).length);
    expect(await index.removeDocument('long')).toBe(true);
    expect(await index.search('cats')).toEqual([]);
  });
});

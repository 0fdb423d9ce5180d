import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { type Database, open } from '../../dist/index.node.js';
import { loadUniversalSentenceEncoder, openDocuments, renderContext } from '../../dist/rag/index.js';
import { NOTES, QUESTIONS, SPLIT } from './notes.ts';

const folder = mkdtempSync(join(tmpdir(), 'isovec-rag-'));
const opened: Database[] = [];
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([false, true])(
  'answers by meaning, with a real model, and still does after closing and opening (in a worker: %s)',
  async (worker) => {
    const embedder = await loadUniversalSentenceEncoder();
    const location = join(folder, String(worker));
    const openNotes = async () => {
      const database = await open(location, { worker });
      opened.push(database);
      return { database, notes: await openDocuments(database, 'notes', { embedder, split: SPLIT }) };
    };
    const first = await openNotes();
    const added = await first.notes.addDocuments(NOTES);
    expect(added.map(({ status, embedded }) => ({ status, embedded }))).toEqual(
      NOTES.map(() => ({ status: 'added', embedded: 2 })),
    );
    await first.database.close();

    const { notes } = await openNotes();
    expect((await notes.addDocuments(NOTES)).every(({ status }) => status === 'unchanged')).toBe(true);
    for (const { question, document, headings } of QUESTIONS)
      expect((await notes.search(question, { by: 'meaning' }))[0]).toMatchObject({ document, headings });
    expect((await notes.search('how to prune roses'))[0]).toMatchObject({
      headings: ['The garden', 'Roses'],
    });
    const [hit] = await notes.search(QUESTIONS[0]!.question, { filter: { year: 2021 } });
    expect(hit!.document).toBe('boat');
    const found = await notes.search(QUESTIONS[1]!.question, { by: 'meaning' });
    expect(renderContext(found, { tokens: 80 }).text).toMatch(/^\[1\] boat › The boat › Storms\n## Storms/);
  },
);

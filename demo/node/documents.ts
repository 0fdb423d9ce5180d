/**
 * Answers a question from this repository's documentation, in Node, with isovec/rag.
 *
 *   npm run example:documents -- "what happens when a tab crashes?"
 *
 * The first run embeds the pages; later ones embed only what has changed in them since.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'isovec';
import { loadUniversalSentenceEncoder, openDocuments, renderContext } from 'isovec/rag';

const FOLDER = process.env.ISOVEC_EXAMPLE_FOLDER ?? '.isovec-documents';
const DEFAULT_QUESTION = 'What happens when a tab crashes?';
/** What a small model can read beside its instructions. */
const CONTEXT_TOKENS = 700;

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const question = process.argv.slice(2).join(' ') || DEFAULT_QUESTION;

const database = await open(FOLDER);
const pages = await openDocuments(database, 'pages', {
  embedder: await loadUniversalSentenceEncoder(),
  split: { size: 700, overlap: 70 },
});
const names = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
await pages.addDocuments(
  names.map((name) => ({ id: name, text: readFileSync(join(root, name), 'utf8') })),
  {
    onProgress: ({ id, status, embedded, chunks }) =>
      console.error(`${id}: ${status}, ${embedded} of ${chunks} chunks embedded`),
  },
);

const hits = await pages.search(question, { topK: 8 });
const context = renderContext(hits, { tokens: CONTEXT_TOKENS, order: 'document' });
console.log(`${question}\n\n${context.text}\n\n(${context.tokens} tokens, as estimated)`);
await database.close();

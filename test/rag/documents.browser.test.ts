// The built package: a worker is a file of its own, and that is what users run.
import { afterEach, expect, it } from 'vitest';
import { destroy, open } from '../../dist/index.js';
import { openDocuments, renderContext, splitText } from '../../dist/rag/index.js';
import { WordEmbedder } from './word-embedder.ts';

const location = `isovec-rag-${Date.now()}`;
afterEach(() => destroy(location));

it.each(['opfs', 'indexeddb'] as const)(
  'a browser keeps documents in a worker, on %s, finds them, and embeds nothing twice',
  async (storage) => {
    const text = `# Ferry\n\n${'It leaves at noon. '.repeat(20)}\n\n# Cats\n\nThey hunt at dusk.`;
    const embedder = new WordEmbedder();
    const options = { embedder, split: { size: 100 } };
    const first = await open(location, { storage });
    const notes = await openDocuments(first, 'notes', options);
    const added = await notes.addDocument({ id: 'a', text, metadata: { year: 1 } });
    expect(added).toMatchObject({ status: 'added', chunks: splitText(text, options.split).length });
    await first.close();

    const database = await open(location, { storage });
    const again = await openDocuments(database, 'notes', options);
    embedder.taken();
    expect((await again.addDocument({ id: 'a', text, metadata: { year: 1 } })).status).toBe('unchanged');
    expect(embedder.taken()).toEqual([]);
    const hits = await again.search('Who can hunt?', { topK: 3, filter: { year: 1 } });
    expect(hits[0]).toMatchObject({ document: 'a', headings: ['Cats'] });
    const context = renderContext(hits, { tokens: 60 });
    expect(context.text).toContain('They hunt at dusk.');
    expect(context.tokens).toBeLessThanOrEqual(60);

    // Another tab would be told apart by nothing: this one writes and reads through the first one's worker.
    const follower = await open(location, { storage });
    const followed = await openDocuments(follower, 'notes', options);
    await followed.addDocument({ id: 'b', text: 'The albatross sleeps in flight.' });
    expect((await again.search('albatross'))[0]!.document).toBe('b');
    expect((await followed.search('albatross'))[0]!.document).toBe('b');
    await follower.close();
    await database.close();
    await destroy(location, { storage });
  },
);

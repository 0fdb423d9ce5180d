/** What a strict TypeScript project writes against the package. Compiled, never run. */
import {
  type Collection,
  type CollectionConfig,
  type Database,
  destroy,
  type Hit,
  IsovecError,
  type OpenOptions,
  open,
  type Query,
} from 'isovec';
import {
  type Embedder,
  openAIEmbedder,
  openDocuments,
  renderContext,
  splitText,
  type TextChunk,
} from 'isovec/rag';

type Passage = { title: string; year: number };

const options: OpenOptions = {
  durability: 'relaxed',
  onProgress: ({ done, total }) => console.log(done / total),
};
const config: CollectionConfig = { dimensions: 3, metric: 'cosine', index: { m: 16 } };

export async function titlesOfNearest(location: string, vector: Float32Array): Promise<string[]> {
  const database: Database = await open(location, options);
  const passages: Collection<Passage> = await database.collection<Passage>('passages', config);
  const { ids } = await passages.insert({ vector, metadata: { title: 'First', year: 1790 } });
  const query: Query = { vector, topK: 3, filter: { year: { $gte: 1789 } }, include: ['metadata', 'vector'] };
  const hits: Hit<Passage>[] = await passages.query(query);
  for await (const record of passages.scan({ batchSize: 100 })) console.log(record.id, record.metadata.year);
  const unsubscribe: () => void = database.on('warning', ({ code, message }) => console.warn(code, message));
  unsubscribe();
  await passages.delete(ids);
  await database.close();
  return hits.map((hit) => hit.metadata.title);
}

const embedder: Embedder = openAIEmbedder({
  model: 'm',
  dimensions: 3,
  baseUrl: 'http://localhost:11434/v1',
});

export async function contextFor(database: Database, question: string): Promise<string> {
  const notes = await openDocuments<Passage>(database, 'notes', {
    embedder,
    split: { size: 300, unit: 'tokens' },
  });
  const { status } = await notes.addDocument({ id: 'a', text: 'b', metadata: { title: 'c', year: 1790 } });
  for await (const { metadata } of notes.documents()) console.log(status, metadata.year);
  const chunks: TextChunk[] = splitText(question);
  const hits = await notes.search(chunks[0]?.text ?? question, { topK: 3 });
  return renderContext(hits, { tokens: 1000, label: ({ metadata }) => metadata.title }).text;
}

export async function forget(location: string): Promise<boolean> {
  try {
    await destroy(location);
    return true;
  } catch (error) {
    if (error instanceof IsovecError && error.code === 'LOCK_TIMEOUT') return false;
    throw error;
  }
}

// @ts-expect-error dimensions are required
export const incomplete: CollectionConfig = { metric: 'dot' };

/** Builds a graph, and tells how that went. */
import { open } from 'isovec';

const DIMENSIONS = 32;
/** More than threads are started for. */
const RECORDS = 6000;
const BATCH_RECORDS = 1000;
const QUERIES = 100;

const builder = {
  async build(location: string): Promise<{ isolated: boolean; warnings: string[]; found: number }> {
    const database = await open(location, { buildThreads: 1 });
    const warnings: string[] = [];
    database.on('warning', ({ message }) => warnings.push(message));
    const collection = await database.collection('records', { dimensions: DIMENSIONS });
    const vectors = Array.from({ length: RECORDS }, () =>
      Float32Array.from({ length: DIMENSIONS }, () => Math.random() - 0.5),
    );
    for (let first = 0; first < RECORDS; first += BATCH_RECORDS) {
      const batch = vectors.slice(first, first + BATCH_RECORDS);
      await collection.insert(batch.map((vector, index) => ({ id: `${first + index}`, vector })));
    }
    while ((await collection.info()).indexed < RECORDS)
      await new Promise((resolve) => setTimeout(resolve, 20));
    let found = 0;
    for (let query = 0; query < QUERIES; query++) {
      const [hit] = await collection.query({ vector: vectors[query]!, topK: 1 });
      if (hit?.id === `${query}`) found++;
    }
    await database.close();
    return { isolated: crossOriginIsolated, warnings, found: found / QUERIES };
  },
};

export type Builder = typeof builder;
Object.assign(globalThis, { builder });

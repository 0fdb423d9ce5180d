/** A worker of an application's own, which keeps its database in its own thread. */
import * as Comlink from 'comlink';
import { destroy, open } from '../../dist/index.js';

export interface OwnWorker {
  /** @returns the storage, and the ids of the nearest, before and after reopening */
  run(location: string): Promise<{ storage: string; before: string[]; after: string[] }>;
}

const owned: OwnWorker = {
  async run(location) {
    let database = await open(location);
    const { storage } = database;
    const nearest = async () => {
      const collection = await database.collection('points', { dimensions: 2, metric: 'euclidean' });
      if ((await collection.count()) === 0)
        await collection.insert([0, 1, 2, 3].map((at) => ({ id: `point ${at}`, vector: [at, 0] })));
      const hits = await collection.query({ vector: [2.4, 0], topK: 3 });
      return hits.map(({ id }) => id);
    };
    const before = await nearest();
    await database.close();
    database = await open(location, { worker: false });
    const after = await nearest();
    await database.close();
    await destroy(location);
    return { storage, before, after };
  },
};

Comlink.expose(owned);

/** One of several tabs that work in one database. The test calls it from outside. */
import { type Collection, type Database, type OpenOptions, open } from 'isovec';

const DIMENSIONS = 8;
const BATCH_RECORDS = 5;

let database: Database;
let collection: Collection;
let role = 'none';
const acknowledged: string[] = [];
let increments = 0;
let longestWaitMs = 0;
let work: Promise<void> | undefined;

/** The worker that the last opening has started. */
let lastWorker: Worker | undefined;
globalThis.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    lastWorker = this;
  }
};

async function increment(): Promise<void> {
  for (;;)
    try {
      await database.transaction(async (tx) => {
        const counter = tx.collection('records');
        const { count } = (await counter.get('counter'))!.metadata as { count: number };
        await counter.update({ id: 'counter', metadata: { count: count + 1 } });
      });
      return;
    } catch (error) {
      // Its writer has gone: nothing of it is stored.
      if ((error as { code?: string }).code !== 'ABORTED') throw error;
    }
}

const tab = {
  async open(location: string, options: OpenOptions): Promise<void> {
    database = await open(location, options);
    database.on('role', (told) => {
      role = told.role;
    });
    collection = await database.collection('records', { dimensions: DIMENSIONS, metric: 'dot' });
    await collection.upsert({ id: `tab ${Math.random()}`, vector: new Float32Array(DIMENSIONS) });
  },
  /** @returns the codes of what opening warns of, or fails with */
  async openDamaged(location: string, options: OpenOptions): Promise<string[]> {
    const warnings: string[] = [];
    try {
      database = await open(location, options);
    } catch (error) {
      return [`failed: ${(error as { code?: string }).code}`];
    }
    database.on('warning', ({ code }) => warnings.push(code));
    // Warnings come ahead of the answer to a later call.
    await database.stats();
    return warnings;
  },
  async openToRead(location: string, options: OpenOptions): Promise<void> {
    database = await open(location, { ...options, readOnly: true });
    collection = await database.collection('records');
  },
  /** All ids, by way of a query, a scan and their records, which agree. */
  async read(): Promise<string[]> {
    const query = { vector: new Float32Array(DIMENSIONS).fill(1), topK: 10_000 };
    const hits = await collection.query({ ...query, exact: true });
    const ids: string[] = [];
    for await (const { id } of collection.scan({ batchSize: 7 })) ids.push(id);
    const records = await collection.get(ids);
    const found = [...new Set([...hits.map(({ id }) => id), ...ids, ...records.map((record) => record?.id)])];
    if (found.length !== ids.length || (await collection.count()) !== ids.length)
      throw new Error(`${hits.length} hits, ${ids.length} ids scanned, ${found.length} in all`);
    return ids.sort();
  },
  /** As the one state that the writer is to leave behind. */
  async write(ids: string[]): Promise<void> {
    const gone: string[] = [];
    for await (const { id } of collection.scan()) if (!ids.includes(id)) gone.push(id);
    await database.transaction(async (tx) => {
      const records = tx.collection('records');
      await records.delete(gone);
      await records.upsert(ids.map((id) => ({ id, vector: new Float32Array(DIMENSIONS).fill(id.length) })));
    });
  },
  async compact(): Promise<void> {
    await database.compact();
  },
  /** @returns what came of it, and after how many milliseconds */
  async insert(id: string): Promise<{ outcome: string; afterMs: number }> {
    const start = performance.now();
    const outcome = await collection.upsert({ id, vector: new Float32Array(DIMENSIONS) }).then(
      () => 'stored',
      (error) => error.code as string,
    );
    return { outcome, afterMs: performance.now() - start };
  },
  async setCounter(): Promise<void> {
    await collection.insert({ id: 'counter', vector: new Float32Array(DIMENSIONS), metadata: { count: 0 } });
  },
  role: () => role,
  /** Does not wait for its end. */
  begin(who: string, batches: number, incrementEvery: number): void {
    work = (async () => {
      for (let batch = 0; batch < batches; batch++) {
        const ids = Array.from({ length: BATCH_RECORDS }, (_, index) => `${who}:${batch}:${index}`);
        const start = performance.now();
        await collection.insert(
          ids.map((id, index) => ({ id, vector: new Float32Array(DIMENSIONS).fill(index) })),
        );
        longestWaitMs = Math.max(longestWaitMs, performance.now() - start);
        acknowledged.push(...ids);
        if (batch % incrementEvery === 0) {
          await increment();
          increments++;
        }
      }
    })();
    work.catch(() => {});
  },
  count: () => acknowledged.length,
  async end(): Promise<{ acknowledged: string[]; increments: number; longestWaitMs: number }> {
    await work;
    return { acknowledged, increments, longestWaitMs };
  },
  async found(): Promise<{ ids: string[]; count: number }> {
    const ids: string[] = [];
    for await (const { id } of collection.scan({ include: [] })) if (id.includes(':')) ids.push(id);
    const { count } = (await collection.get('counter'))!.metadata as { count: number };
    return { ids, count };
  },
  terminateWorker: () => lastWorker?.terminate(),
  close: () => database.close(),
};

export type TabApi = typeof tab;
Object.assign(globalThis, { tab });

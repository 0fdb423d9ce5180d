/** Durable upserts in batches, and the bytes of the same log written by hand: the same in Node and in a page. */
import type { Database, OpenOptions } from '../../dist/base/api.js';

export const DIMENSIONS = 384;
export const BATCH_RECORDS = 100;
/** Enough for the first checkpoint, at 32 MB of log, to be part of it. */
export const BATCHES = 300;

export type Open = (location: string, options: OpenOptions) => Promise<Database>;

export interface Written {
  recordsPerSecond: number;
  /** What the batches take in the log. */
  bytes: number;
}

/** @param inFlight how many batches are written at once */
export async function measureUpserts(
  open: Open,
  location: string,
  durability: 'strict' | 'relaxed',
  inFlight: number,
): Promise<Written> {
  const batches = makeBatches();
  const database = await open(location, { durability });
  const collection = await database.collection('bench', { dimensions: DIMENSIONS });
  let next = 0;
  const write = async () => {
    while (next < BATCHES) await collection.upsert(batches[next++]!);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, write));
  const seconds = (performance.now() - start) / 1000;
  await database.close();
  return { recordsPerSecond: (BATCHES * BATCH_RECORDS) / seconds, bytes: BATCHES * batchBytes() };
}

/** As a batch stands in the log, but for a few bytes. */
export function batchBytes(): number {
  return makeBatch(0).reduce(
    (sum, { id, vector, metadata }) =>
      sum + 15 + id.length + vector.byteLength + JSON.stringify(metadata).length,
    32,
  );
}

function makeBatches(): ReturnType<typeof makeBatch>[] {
  return Array.from({ length: BATCHES }, (_, batch) => makeBatch(batch));
}

export function makeBatch(batch: number) {
  return Array.from({ length: BATCH_RECORDS }, (_, index) => ({
    id: `record-${batch}-${index}`,
    vector: Float32Array.from({ length: DIMENSIONS }, (__, at) => Math.sin(batch * 7.1 + index * 3.7 + at)),
    metadata: { title: `Record ${index} of batch ${batch}`, batch, index },
  }));
}

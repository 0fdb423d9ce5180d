/** The side of Node: what is measured there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '../../dist/index.node.js';
import { nodePlatform } from '../../src/runtime/node-platform.ts';
import { LOG_CARE } from '../../src/store/log-care.ts';
import { openLocal } from '../../src/store/open.ts';
import { BATCH_RECORDS, BATCHES, batchBytes, DIMENSIONS, makeBatch, measureUpserts } from './workload.ts';

export interface Rates {
  strict: number;
  strictInFlight: number;
  relaxed: number;
  raw: number;
}

export async function measureNode(): Promise<Rates> {
  return {
    raw: await inFolder(measureRaw),
    strict: await upserts('strict', 1),
    strictInFlight: await upserts('strict', 4),
    relaxed: await upserts('relaxed', 1),
  };
}

async function upserts(durability: 'strict' | 'relaxed', inFlight: number): Promise<number> {
  const written = await inFolder((folder) => measureUpserts(open, folder, durability, inFlight));
  return written.recordsPerSecond;
}

/** @returns records a second, if a record were nothing but its bytes */
async function measureRaw(folder: string): Promise<number> {
  const bytes = new Uint8Array(batchBytes()).fill(1);
  const file = await openFile(join(folder, 'raw'), 'w');
  const start = performance.now();
  for (let batch = 0; batch < BATCHES; batch++) {
    await file.write(bytes, 0, bytes.length, batch * bytes.length);
    await file.datasync();
  }
  const seconds = (performance.now() - start) / 1000;
  await file.close();
  return (BATCHES * BATCH_RECORDS) / seconds;
}

export interface Recovery {
  records: number;
  logBytes: number;
  openMs: number;
  firstQueryMs: number;
  /** In the graph when the first query was answered. */
  indexed: number;
}

/** Opening a database all of whose records are in the log, as a crash leaves it that no checkpoint came before. */
export async function measureRecovery(records: number): Promise<Recovery> {
  return inFolder(async (folder) => {
    const location = join(folder, 'written');
    const never = {
      checkpointBytesMin: Number.POSITIVE_INFINITY,
      checkpointEntriesMax: Number.POSITIVE_INFINITY,
    };
    const care = { ...LOG_CARE, ...never, idleMs: 2 ** 30 };
    const writer = await openLocal(nodePlatform, location, { durability: 'relaxed' }, care);
    const written = await writer.collection('bench', { dimensions: DIMENSIONS });
    for (let batch = 0; batch < records / BATCH_RECORDS; batch++) await written.upsert(makeBatch(batch));
    await writer.flush();
    const crashed = join(folder, 'crashed');
    // Not who has it open: that is about the original.
    await cp(location, crashed, { recursive: true, filter: (path) => !path.includes('isovec.') });
    await writer.close();

    const start = performance.now();
    const database = await open(crashed);
    const openMs = performance.now() - start;
    const collection = await database.collection('bench');
    const [hit] = await collection.query({ vector: makeBatch(7)[3]!.vector, topK: 1 });
    const firstQueryMs = performance.now() - start;
    if (hit?.id !== 'record-7-3') throw new Error(`the first query found ${hit?.id}`);
    const { count, indexed } = await collection.info();
    const { log } = await database.stats();
    await database.close();
    return { records: count, logBytes: log.bytes, openMs, firstQueryMs, indexed };
  });
}

async function inFolder<T>(measure: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'isovec-bench-'));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The side of a page: what is measured there. */
import { destroy, open } from '../../dist/index.js';
import type { Rates } from './node.ts';
import { BATCH_RECORDS, BATCHES, batchBytes, measureUpserts } from './workload.ts';

const LOCATION = 'isovec-bench';

async function upserts(durability: 'strict' | 'relaxed', inFlight: number): Promise<number> {
  const { recordsPerSecond } = await measureUpserts(open, LOCATION, durability, inFlight);
  await destroy(LOCATION);
  return recordsPerSecond;
}

function raw(): Promise<number> {
  const worker = new Worker(new URL('./raw-worker.ts', import.meta.url), { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<number>) => {
      worker.terminate();
      resolve((BATCHES * BATCH_RECORDS) / (data / 1000));
    };
    worker.postMessage({ bytes: batchBytes(), count: BATCHES });
  });
}

declare global {
  interface Window {
    measureDurability: () => Promise<Rates>;
  }
}

window.measureDurability = async () => ({
  raw: await raw(),
  strict: await upserts('strict', 1),
  strictInFlight: await upserts('strict', 4),
  relaxed: await upserts('relaxed', 1),
});

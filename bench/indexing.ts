/**
 * `npm run bench:indexing`: how long queries take while a collection is being indexed in the background, beside the same
 * queries when that is done. Through the public API, in Node, on the file system.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Collection, type OpenOptions, open } from '../dist/index.node.js';
import { type Dataset, type DatasetName, loadDataset, prepareDataset } from './datasets/dataset.ts';
import { rowOf } from './datasets/rows.ts';
import { EF_CONSTRUCTION, M, TOP_K } from './engine.ts';
import type { Quantization } from './engines/isovec.ts';
import { dataFolder } from './folders.ts';
import { quantile } from './measure.ts';
import { table } from './table.ts';

const RECORDS_PER_BATCH = 1000;
const EF = 64;
/** From one answer to the next query: nobody asks without a pause. */
const PAUSE_MS = 3;
/** Queries between looks at how far it is. */
const QUERIES_PER_LOOK = 20;
/** Then it is ended, and the rest is not waited for. */
const LONGEST_MS = 60_000;
const QUERIES_AFTER = 1000;

const WHERE: Record<string, OpenOptions> = {
  'in this thread': { worker: false, buildThreads: 0 },
  'with a helper': { worker: false, buildThreads: 1 },
  'in a worker': { worker: true, buildThreads: 0 },
};

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: 'glove-100' },
    count: { type: 'string', default: '100000' },
    quantization: { type: 'string', default: 'none,int8' },
    where: { type: 'string', default: Object.keys(WHERE).join(',') },
  },
});

/** Asks one query after another. @param goesOn is asked now and then @returns milliseconds that each took */
async function ask(data: Dataset, collection: Collection, goesOn: () => Promise<boolean>): Promise<number[]> {
  const times: number[] = [];
  do {
    for (let at = 0; at < QUERIES_PER_LOOK; at++) {
      const vector = rowOf(data.queries, data.dimensions, times.length % data.queryCount);
      const start = performance.now();
      await collection.query({ vector, topK: TOP_K, ef: EF, include: [] });
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } while (await goesOn());
  return times;
}

async function insertAll(data: Dataset, collection: Collection): Promise<void> {
  for (let first = 0; first < data.count; first += RECORDS_PER_BATCH) {
    const count = Math.min(RECORDS_PER_BATCH, data.count - first);
    await collection.insert(
      Array.from({ length: count }, (_, at) => ({
        id: String(first + at),
        vector: rowOf(data.base, data.dimensions, first + at),
      })),
    );
  }
}

async function run(data: Dataset, quantization: Quantization, where: string): Promise<string[][]> {
  const folder = mkdtempSync(join(dataFolder, 'indexing-'));
  try {
    const database = await open(join(folder, 'database'), WHERE[where]);
    const index = { m: M, efConstruction: EF_CONSTRUCTION };
    const collection = await database.collection('vectors', {
      dimensions: data.dimensions,
      quantization,
      index,
    });
    await insertAll(data, collection);
    const start = performance.now();
    let indexed = 0;
    const during = await ask(data, collection, async () => {
      const info = await collection.info();
      indexed = info.indexed;
      return indexed < info.count && performance.now() - start < LONGEST_MS;
    });
    const perSecond = Math.round((indexed / (performance.now() - start)) * 1000);
    let left = QUERIES_AFTER;
    const after =
      indexed < data.count
        ? []
        : await ask(data, collection, async () => {
            left -= QUERIES_PER_LOOK;
            return left > 0;
          });
    await database.close();
    return [
      [quantization, where, `while indexing ${perSecond} vectors/s`, ...latencies(during)],
      [quantization, where, 'afterwards', ...latencies(after)],
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function latencies(times: readonly number[]): string[] {
  const shown = (time: number) => time.toFixed(2);
  return [String(times.length), ...[0.5, 0.99, 1].map((share) => shown(quantile(times, share)))];
}

const name = options.data as DatasetName;
await prepareDataset(name);
const data = await loadDataset(name, Number(options.count));
const rows: string[][] = [];
for (const quantization of options.quantization.split(',') as Quantization[])
  for (const where of options.where.split(',')) rows.push(...(await run(data, quantization, where)));
console.log(`${data.name}, ${data.count} vectors, ef ${EF}, milliseconds a query\n`);
console.log(table(['codes', 'engine', '', 'queries', 'p50', 'p99', 'longest'], rows));

/**
 * `npm run bench:filters`: filtered queries at every share of matching records, random and correlated, through the public
 * API in Node, in memory; edgevec's searchWithFilter beside them at 1%; and how long filters take over a million rows.
 */
import { parseArgs } from 'node:util';
import { type Collection, open, type Quantization } from '../../dist/index.node.js';
import { compileFilter } from '../../src/filter/filter.ts';
import { PayloadIndex } from '../../src/payload/payload-index.ts';
import { type Dataset, type DatasetName, loadDataset, prepareDataset } from '../datasets/dataset.ts';
import { random } from '../datasets/random.ts';
import { rowOf } from '../datasets/rows.ts';
import { EF_CONSTRUCTION, M, TOP_K } from '../engine.ts';
import { quantile } from '../measure.ts';
import { table } from '../table.ts';
import { compareEdgeVec } from './edgevec.ts';
import { correlatedShares } from './shares.ts';
import { type FilteredQueries, topicalFilters, topicsOf } from './topics.ts';

const SHARES: readonly number[] = [0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.9];
const RECORDS_PER_BATCH = 1000;
const SEED = 23;
const ROUNDS = 3;
const POLL_MS = 50;
const EVALUATED_ROWS = 1_000_000;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: 'glove-100' },
    count: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '100' },
    /** Of the dearest of them all to build. */
    edgevec: { type: 'string', default: '10000' },
    quantization: { type: 'string', default: 'none' },
  },
});

const name = options.data as DatasetName;
const wanted = Number(options.queries);
await prepareDataset(name);
const data = await loadDataset(name, Number(options.count));
const near = correlatedShares(data, wanted);
const topics = topicsOf(data);
const { database, collection } = await filled(data);
console.log(
  `${data.count} of ${name}, ${data.dimensions} dimensions, quantization ${options.quantization}, ef 64\n`,
);
console.log(await measureQueries(collection));
await database.close();
console.log(`\nFilters over ${EVALUATED_ROWS} rows, processor time\n`);
console.log(measureFilters());
if (Number(options.edgevec) > 0) console.log(await compareEdgeVec(data, Number(options.edgevec), SEED));

async function filled({ count, base, dimensions }: Dataset) {
  const database = await open('filters', { storage: 'memory' });
  const collection = await database.collection('vectors', {
    dimensions,
    index: { m: M, efConstruction: EF_CONSTRUCTION },
    quantization: options.quantization as Quantization,
    fields: { random: 'number', far: 'number', topic: 'number' },
  });
  const share = random(SEED);
  for (let first = 0; first < count; first += RECORDS_PER_BATCH)
    await collection.insert(
      Array.from({ length: Math.min(RECORDS_PER_BATCH, count - first) }, (_, at) => ({
        id: `${first + at}`,
        vector: rowOf(base, dimensions, first + at),
        metadata: { random: share(), far: near.shares[first + at]!, topic: topics.ofRows[first + at]! },
      })),
    );
  while ((await collection.info()).indexed < count)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  return { database, collection };
}

function kindsOfFilters(): Record<string, (share: number) => FilteredQueries[]> {
  return {
    random: (share) => [{ filter: { random: { $lt: share } }, queries: queriesOf(data) }],
    'with its own topic': (share) => topicalFilters(topics, data, { share, kind: 'own topic', wanted }),
    'far topics': (share) => topicalFilters(topics, data, { share, kind: 'far topics', wanted }),
    'the farthest': (share) => [{ filter: { far: { $lt: share } }, queries: near.queries }],
  };
}

async function measureQueries(collection: Collection): Promise<string> {
  const rows: string[][] = [];
  for (const [kind, casesOf] of Object.entries(kindsOfFilters()))
    for (const share of SHARES)
      rows.push([kind, `${share * 100}%`, ...(await measureShare(collection, casesOf(share)))]);
  return table(
    ['filter', 'share', 'match', 'recall@10', 'all hits', 'by', 'p50, ms', 'unfiltered', 'exact'],
    rows,
  );
}

async function measureShare(collection: Collection, cases: FilteredQueries[]): Promise<string[]> {
  const times = { filtered: [] as number[], plain: [] as number[], exact: [] as number[] };
  const strategies = new Map<string, number>();
  const matches: number[] = [];
  let found = 0;
  let wanted = 0;
  let isShort = false;
  for (const { filter, queries } of cases) {
    const matched = await collection.count(filter);
    matches.push(matched);
    for (let round = 0; round < ROUNDS; round++)
      for (const vector of queries) {
        const query = { vector, topK: TOP_K, include: [] };
        await timed(times.plain, () => collection.query(query));
        const hits = await timed(times.filtered, () => collection.query({ ...query, filter }));
        const right = await timed(times.exact, () => collection.query({ ...query, filter, exact: true }));
        if (round > 0) continue;
        const ids = new Set(right.map(({ id }) => id));
        found += hits.filter(({ id }) => ids.has(id)).length;
        wanted += ids.size;
        isShort ||= hits.length < Math.min(TOP_K, matched);
        const { plan } = await collection.query({ ...query, filter, explain: true });
        const strategy = `${plan.strategy}${plan.isFallback ? ' after a walk' : ''}`;
        strategies.set(strategy, (strategies.get(strategy) ?? 0) + 1);
      }
  }
  const most = [...strategies].sort(([, a], [, b]) => b - a).map(([strategy]) => strategy);
  return [
    String(quantile(matches, 0.5)),
    (wanted === 0 ? 1 : found / wanted).toFixed(3),
    isShort ? 'no' : 'yes',
    most.join(', '),
    ...[times.filtered, times.plain, times.exact].map((each) => milliseconds(quantile(each, 0.5))),
  ];
}

function measureFilters(): string {
  const index = new PayloadIndex({ word: 'keyword', number: 'number', is: 'boolean', at: 'date' });
  const share = random(SEED);
  for (let row = 0; row < EVALUATED_ROWS; row++)
    index.push({
      word: `word ${Math.floor(share() * 1000)}`,
      number: share() * 1000,
      is: share() < 0.3,
      at: new Date(1.7e12 + row * 1000).toISOString(),
    });
  const range = { firstWord: 0, endWord: Math.ceil(EVALUATED_ROWS / 32) };
  const filters: [string, object][] = [
    ['equality', { word: 'word 7' }],
    ['range', { number: { $gte: 250, $lt: 260 } }],
    ['dates', { at: { $gte: '2023-11-15', $lt: '2023-11-16' } }],
    ['three conditions', { word: 'word 7', number: { $gte: 250 }, is: true }],
  ];
  const rows = filters.map(([what, filter]) => {
    const { condition } = compileFilter(filter, 'filter');
    const times = Array.from({ length: 30 }, () => {
      const before = process.cpuUsage();
      index.find(condition, range);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    return [what, milliseconds(quantile(times, 0.5)), milliseconds(Math.min(...times))];
  });
  const bytes = index.memoryBytes / EVALUATED_ROWS / Object.keys(index.fields).length;
  return `${table(['filter', 'median, ms', 'least'], rows)}\n\n${bytes.toFixed(1)} bytes a row and field`;
}

async function timed<T>(times: number[], run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await run();
  times.push(performance.now() - start);
  return result;
}

function queriesOf({ queries, dimensions }: Dataset): Float32Array[] {
  return Array.from({ length: wanted }, (_, row) => rowOf(queries, dimensions, row));
}

function milliseconds(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}

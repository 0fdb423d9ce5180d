/**
 * `npm run bench:hybrid`: what fusing gains over either half on a labelled set, and how fast BM25 is over many passages,
 * beside MiniSearch. Through the public API, in Node, on the file system.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Collection, open, type Query } from '../../dist/index.node.js';
import { dataFolder } from '../folders.ts';
import { installPeers } from '../peers.ts';
import { table } from '../table.ts';
import { LABELLED_DIMENSIONS, type Labelled, loadLabelled } from './labelled.ts';
import type { Speed } from './speed.ts';

const TOP_K = 10;
const WEIGHTS = [0.2, 0.3, 0.5, 0.7];

const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    part: { type: 'string', default: 'quality,speed' },
  },
});

async function quality(): Promise<string> {
  // The pages are in one of their packages.
  installPeers();
  const labelled = await loadLabelled();
  const database = await open('quality', { storage: 'memory' });
  const collection = await database.collection('pages', { dimensions: LABELLED_DIMENSIONS, text: true });
  await collection.insert(labelled.pages.map(({ id, body, vector }) => ({ id, vector, text: body })));
  type Given = Labelled['queries'][number];
  const ways: [string, (given: Given) => Query][] = [
    ['vector alone', ({ vector }) => ({ vector })],
    ['text alone (BM25)', ({ text }) => ({ text })],
    ['both, by rank (default)', ({ text, vector }) => ({ text, vector })],
    ...WEIGHTS.map((vectorWeight): [string, (given: Given) => Query] => [
      `both, weighted, vectorWeight ${vectorWeight}`,
      ({ text, vector }) => ({ text, vector, fusion: { method: 'weighted', vectorWeight } }),
    ]),
    ...[0.2, 0.3].map((vectorWeight): [string, (given: Given) => Query] => [
      `both, by rank, vectorWeight ${vectorWeight}`,
      ({ text, vector }) => ({ text, vector, fusion: { method: 'rrf', vectorWeight } }),
    ]),
  ];
  const rows: string[][] = [];
  for (const [name, queryOf] of ways) rows.push([name, ...(await gradesOf(collection, labelled, queryOf))]);
  await database.close();
  const { pages, queries } = labelled;
  return [
    `### ${queries.length} titles as queries for ${pages.length} pages`,
    table(['', 'MRR@10', 'nDCG@10', 'found among 10'], rows),
  ].join('\n\n');
}

/** One page is right: of places from 1, MRR is the mean of 1 / place, and nDCG that of 1 / log2(1 + place). */
async function gradesOf(
  collection: Collection,
  { queries }: Labelled,
  queryOf: (given: Labelled['queries'][number]) => Query,
): Promise<string[]> {
  let reciprocal = 0;
  let gain = 0;
  let found = 0;
  for (const given of queries) {
    const hits = await collection.query({ ...queryOf(given), topK: TOP_K, exact: true, include: [] });
    const place = hits.findIndex(({ id }) => id === given.relevant) + 1;
    if (place === 0) continue;
    reciprocal += 1 / place;
    gain += 1 / Math.log2(1 + place);
    found++;
  }
  const share = (sum: number) => (sum / queries.length).toFixed(3);
  return [share(reciprocal), share(gain), share(found)];
}

function speed(): string {
  const count = Number(options.count);
  mkdirSync(dataFolder, { recursive: true });
  const folder = mkdtempSync(join(dataFolder, 'hybrid-'));
  try {
    const results = ['isovec', 'minisearch'].map((engine) => speedOf(engine, join(folder, engine)));
    const rows = results.map((each) => [
      each.engine,
      (each.buildMs / 1000).toFixed(1),
      (each.diskBytes / 2 ** 20).toFixed(0),
      each.openMs.toFixed(0),
      each.firstMs.toFixed(1),
      (each.heapBytes / 2 ** 20).toFixed(0),
      each.p50Ms.toFixed(2),
      each.p95Ms.toFixed(2),
    ]);
    const head = [
      '',
      'build, s',
      'disk, MB',
      'open, ms',
      'first query, ms',
      'memory, MB',
      'p50, ms',
      'p95, ms',
    ];
    return [`### BM25 over ${count.toLocaleString('en')} passages`, table(head, rows)].join('\n\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function speedOf(engine: string, file: string): Speed {
  const script = fileURLToPath(new URL('./speed.ts', import.meta.url));
  const run = (step: string): Partial<Speed> => {
    const args = [
      '--expose-gc',
      '--import',
      'tsx',
      script,
      '--engine',
      engine,
      '--step',
      step,
      '--file',
      file,
    ];
    const printed = execFileSync(process.execPath, [...args, '--count', options.count], { encoding: 'utf8' });
    return JSON.parse(printed) as Partial<Speed>;
  };
  const built = run('build');
  return { engine, ...built, ...run('search'), diskBytes: bytesOf(file) } as Speed;
}

function bytesOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}

const parts = options.part.split(',');
if (parts.includes('quality')) console.log(`${await quality()}\n`);
if (parts.includes('speed')) console.log(speed());

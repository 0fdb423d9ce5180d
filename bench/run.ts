/** `npm run bench`: isovec and its peers on the same vectors, on this machine, in one run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { ChromiumContestant } from './chromium-contestant.ts';
import { compare, type EngineResult } from './compare.ts';
import { type DatasetName, loadDataset, prepareDataset } from './datasets/dataset.ts';
import type { Contestant } from './engine.ts';
import { dataFolder } from './folders.ts';
import { compileHnswlib, type NativeProgram } from './native/compile.ts';
import { NativeContestant } from './native-contestant.ts';
import { NodeContestant } from './node-contestant.ts';
import { type EngineName, type Options, parseOptions, takesPart, USAGE } from './options.ts';
import { installPeers, peerVersions } from './peers.ts';
import { resultsAsMarkdown } from './table.ts';
import { exactThresholds } from './truth.ts';

/** As many as the promise about the main thread speaks of. */
const WATCHED_COUNT = 10_000;

async function main(options: Options): Promise<void> {
  mkdirSync(dataFolder, { recursive: true });
  installPeers();
  const { what } = await prepareDataset(options.data);
  const native = options.engines.includes('hnswlib-native') ? compileHnswlib() : undefined;
  const sections: string[] = [`${describeMachine(native)} Data: ${what}.`];
  const results: EngineResult[] = [];
  for (const size of options.sizes) {
    const { sizeResults, leftOut } = await runSize(size, options, native);
    results.push(...sizeResults);
    sections.push(resultsAsMarkdown(sizeResults), ...(leftOut.length > 0 ? [leftOutNote(leftOut)] : []));
  }
  if (options.engines.includes('hnswlib-native') && !native)
    sections.push('Left out: hnswlib-native, for no C++ compiler (g++ or clang++) was found.');
  if (options.engines.includes('isovec-chromium')) sections.push(await watchMainThread(options.data));
  const markdown = sections.join('\n\n');
  const file = join(dataFolder, `results-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, JSON.stringify({ markdown, results }, undefined, 2));
  console.log(`\n${markdown}\n\nAlso in ${file}`);
}

async function runSize(
  size: number | 'full',
  options: Options,
  native: NativeProgram | undefined,
): Promise<{ sizeResults: EngineResult[]; leftOut: EngineName[] }> {
  const data = await loadDataset(options.data, size);
  console.log(`${data.name}: ${data.count} vectors`);
  const thresholds = await exactThresholds(data);
  const present = options.engines.filter((engine) => native || engine !== 'hnswlib-native');
  const [taking, leftOut] = split(present, (engine) => takesPart(engine, data.count, options.all));
  const contestants = taking.map((engine) => createContestant(engine, native));
  const sizeResults = await compare(contestants, data, thresholds, options.rounds);
  for (const contestant of contestants) await contestant.stop();
  return { sizeResults, leftOut };
}

function createContestant(name: EngineName, native: NativeProgram | undefined): Contestant {
  if (name === 'isovec-chromium') return new ChromiumContestant();
  if (name === 'isovec-chromium-int8') return new ChromiumContestant('int8');
  if (name === 'isovec-chromium-worker') return new ChromiumContestant('none', true);
  if (name === 'isovec-chromium-worker-int8') return new ChromiumContestant('int8', true);
  if (name !== 'hnswlib-native') return new NodeContestant(name);
  if (native === undefined) throw new Error('hnswlib-native has not been compiled');
  return new NativeContestant(native);
}

/** How responsive the page stays while vectors are inserted and indexed. */
async function watchMainThread(data: DatasetName): Promise<string> {
  const { count } = await loadDataset(data, WATCHED_COUNT);
  const contestant = new ChromiumContestant();
  await contestant.start(data, count);
  const { longTaskCount, longestDelayMs } = await contestant.watchAdding(count);
  await contestant.stop();
  return (
    `Page's main thread in Chromium while ${count.toLocaleString('en')} vectors are inserted and indexed: ` +
    `${longTaskCount} tasks over 50 ms, longest delay of a timer ${longestDelayMs.toFixed(1)} ms.`
  );
}

function describeMachine(native: NativeProgram | undefined): string {
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  const peers = Object.entries(peerVersions()).map(([name, version]) => `${name} ${version}`);
  if (native) peers.push(`hnswlib-native by ${native.compiler}`);
  return `${processor}, Node ${process.versions.node}; ${peers.join(', ')}.`;
}

function leftOutNote(leftOut: readonly EngineName[]): string {
  return `Left out at this size, because slow to build: ${leftOut.join(', ')} (\`--all\` builds it).`;
}

function split<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 1;
}

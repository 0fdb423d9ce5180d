/**
 * `npm run bench:scale`: what building, querying, reopening and holding a collection costs as it grows, through the public
 * API. Points are added to those in docs/scale, and plotted.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EF_CONSTRUCTION } from '../engine.ts';
import type { Quantization } from '../engines/isovec.ts';
import { dataFolder } from '../folders.ts';
import { table } from '../table.ts';
import { measureChromium } from './chromium.ts';
import { measureNode } from './node.ts';
import { type Panel, plot } from './plot.ts';
import { addPoint, loadPoints, type Point, resultsFolder, seriesOf } from './results.ts';
import { RECALL_AIM, type Task } from './workload.ts';

const USAGE = `npm run bench:scale -- [options]
  --smallest n         vectors to begin with (default 10000)
  --largest n          vectors to end with (default 100000); between them 10000, 30000, 100000, ...
  --dimensions n       (default 384)
  --quantization a,b   of none, int8, binary (default none)
  --ef-construction n  (default ${EF_CONSTRUCTION})
  --runtime a,b        of node, chromium (default node)
  --plot               only plots what has been measured before`;

const QUANTIZATIONS: readonly Quantization[] = ['none', 'int8', 'binary'];
const RUNTIMES = { node: measureNode, chromium: measureChromium } as const;

function readOptions() {
  const { values } = parseArgs({
    options: {
      smallest: { type: 'string', default: '10000' },
      largest: { type: 'string', default: '100000' },
      dimensions: { type: 'string', default: '384' },
      quantization: { type: 'string', default: 'none' },
      'ef-construction': { type: 'string', default: String(EF_CONSTRUCTION) },
      runtime: { type: 'string', default: 'node' },
      plot: { type: 'boolean', default: false },
    },
  });
  return {
    sizes: sizesBetween(whole(values.smallest), whole(values.largest)),
    dimensions: whole(values.dimensions),
    quantizations: values.quantization.split(',').map((name) => known(name, QUANTIZATIONS)),
    efConstruction: whole(values['ef-construction']),
    runtimes: values.runtime
      .split(',')
      .map((name) => known(name, Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[])),
    isPlotOnly: values.plot,
  };
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${text} is not a whole number above 0`);
  return number;
}

function known<Name extends string>(name: string, names: readonly Name[]): Name {
  const found = names.find((each) => each === name);
  if (found === undefined) throw new Error(`${name} is none of ${names.join(', ')}`);
  return found;
}

function sizesBetween(smallest: number, largest: number): number[] {
  const sizes = [];
  for (let decade = 1000; decade <= largest; decade *= 10) sizes.push(decade, 3 * decade);
  return sizes.filter((size) => size >= smallest && size <= largest);
}

const seconds = (value: number) => (value < 1 ? `${rounded(value * 1000)} ms` : `${rounded(value)} s`);
const milliseconds = (value: number) => seconds(value / 1000);
const megabytes = (value: number) =>
  value < 1e9 ? `${rounded(value / 1e6)} MB` : `${rounded(value / 1e9)} GB`;
const rounded = (value: number) => Number(value.toPrecision(3));
const count = (value: number) => (value < 1e6 ? `${rounded(value / 1e3)}K` : `${rounded(value / 1e6)}M`);

function panelsOf(points: readonly Point[]): Panel[] {
  const names = [...new Set(points.map(seriesOf))];
  const panel = (
    title: string,
    format: Panel['format'],
    pick: (point: Point) => number | undefined,
  ): Panel => ({
    title,
    format,
    lines: names.map((name) => ({
      name,
      points: points
        .filter((point) => seriesOf(point) === name)
        .flatMap((point) => {
          const y = pick(point);
          return y === undefined ? [] : [{ x: point.count, y }];
        }),
    })),
  });
  return [
    panel('Built, every batch flushed', seconds, ({ buildSeconds }) => buildSeconds),
    panel('Query, p50', milliseconds, ({ p50Ms }) => p50Ms),
    panel('Query, p99', milliseconds, ({ p99Ms }) => p99Ms),
    panel('Reopened, to the first answer', milliseconds, ({ reopenMs }) => reopenMs),
    panel('Memory, as stats() has it', megabytes, ({ memoryBytes }) => memoryBytes),
    panel('Files', megabytes, ({ diskBytes }) => diskBytes),
  ];
}

function tableOf(points: readonly Point[]): string {
  return table(
    [
      '',
      'vectors',
      'acknowledged/s',
      'built/s',
      'query p50',
      'p99',
      'recall@10',
      `ef for ${RECALL_AIM}`,
      'p50',
      'p99',
      'reopened',
      'memory',
      'process',
      'files',
    ],
    points.map((point) => [
      seriesOf(point),
      point.count.toLocaleString('en'),
      Math.round(point.count / point.insertSeconds).toLocaleString('en'),
      Math.round(point.count / point.buildSeconds).toLocaleString('en'),
      milliseconds(point.p50Ms),
      milliseconds(point.p99Ms),
      point.recall.toFixed(3),
      point.aimed ? String(point.aimed.ef) : '-',
      point.aimed ? milliseconds(point.aimed.p50Ms) : '-',
      point.aimed ? milliseconds(point.aimed.p99Ms) : '-',
      milliseconds(point.reopenMs),
      megabytes(point.memoryBytes),
      point.residentBytes === undefined ? '-' : megabytes(point.residentBytes),
      megabytes(point.diskBytes),
    ]),
  );
}

try {
  const { sizes, dimensions, quantizations, efConstruction, runtimes, isPlotOnly } = readOptions();
  mkdirSync(dataFolder, { recursive: true });
  for (const runtime of isPlotOnly ? [] : runtimes)
    for (const quantization of quantizations)
      for (const size of sizes) {
        const task: Task = { count: size, dimensions, quantization, efConstruction };
        const point = await RUNTIMES[runtime](task);
        addPoint(point);
        console.log(tableOf([point]).split('\n').at(-1));
      }
  const points = loadPoints();
  writeFileSync(join(resultsFolder, 'curves.svg'), plot(panelsOf(points), 'vectors', count));
  console.log(`\n${cpus()[0]?.model.trim()}, Node ${process.versions.node}\n\n${tableOf(points)}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 1;
}

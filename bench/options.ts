/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { DATASETS, type DatasetName } from './datasets/dataset.ts';
import { NODE_ENGINES } from './engines/registry.ts';

/** hnswlib driven from C++ comes first among the peers: it is the one to measure by. */
export const ENGINES = [
  'hnswlib-native',
  ...NODE_ENGINES,
  'isovec-chromium',
  'isovec-chromium-int8',
  'isovec-chromium-worker',
  'isovec-chromium-worker-int8',
] as const;
export type EngineName = (typeof ENGINES)[number];

const SIZES = { '10k': 10_000, '100k': 100_000, full: 'full' } as const;
/** Builds some hundred vectors a second: minutes at 100,000. */
const SLOW_ENGINES: readonly EngineName[] = ['edgevec'];
const LARGEST_FOR_SLOW = 10_000;

export interface Options {
  data: DatasetName;
  sizes: (number | 'full')[];
  engines: EngineName[];
  rounds: number;
  /** Slow engines on every size. */
  all: boolean;
}

export const USAGE = `npm run bench -- [options]
  --data name              one of ${Object.keys(DATASETS).join(', ')} (default glove-100)
  --size 10k|100k|full     one size, or several with commas (default 10k,100k); no more than the set has
  --engines a,b            of ${ENGINES.join(', ')} (default all)
  --rounds n               how often each search is measured (default 5)
  --all                    ${SLOW_ENGINES.join(' and ')} beyond ${LARGEST_FOR_SLOW} vectors too (slow)
  --help                   this`;

/** @returns undefined when help is asked for */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string', default: 'glove-100' },
      size: { type: 'string', default: '10k,100k' },
      engines: { type: 'string', default: ENGINES.join(',') },
      rounds: { type: 'string', default: '5' },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds} is not a whole number above 0`);
  return {
    data: parseData(values.data),
    sizes: values.size.split(',').map(parseSize),
    engines: values.engines.split(',').map(parseEngine),
    rounds,
    all: values.all,
  };
}

/** Whether an engine takes part at a size. */
export function takesPart(engine: EngineName, count: number, all: boolean): boolean {
  return all || count <= LARGEST_FOR_SLOW || !SLOW_ENGINES.includes(engine);
}

function parseData(name: string): DatasetName {
  if (name in DATASETS) return name as DatasetName;
  throw new Error(`--data ${name} is none of ${Object.keys(DATASETS).join(', ')}`);
}

function parseSize(name: string): number | 'full' {
  if (name in SIZES) return SIZES[name as keyof typeof SIZES];
  throw new Error(`--size ${name} is none of ${Object.keys(SIZES).join(', ')}`);
}

function parseEngine(name: string): EngineName {
  const engine = ENGINES.find((known) => known === name);
  if (engine === undefined) throw new Error(`--engines ${name} is none of ${ENGINES.join(', ')}`);
  return engine;
}

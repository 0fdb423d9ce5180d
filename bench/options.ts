/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { NODE_ENGINES } from './engines/registry.ts';

export const ENGINES = [...NODE_ENGINES, 'isovec-chromium'] as const;
export type EngineName = (typeof ENGINES)[number];

const SIZES = { '10k': 10_000, '100k': 100_000, full: 'full' } as const;
/** Builds some hundred vectors a second: minutes at 100,000. */
const SLOW_ENGINES: readonly EngineName[] = ['edgevec'];
const LARGEST_FOR_SLOW = 10_000;

export interface Options {
  sizes: (number | 'full')[];
  engines: EngineName[];
  rounds: number;
  /** Slow engines on every size. */
  all: boolean;
}

export const USAGE = `npm run bench -- [options]
  --size 10k|100k|full     one size, or several with commas (default 10k,100k)
  --engines a,b            of ${ENGINES.join(', ')} (default all)
  --rounds n               how often each search is measured (default 5)
  --all                    ${SLOW_ENGINES.join(' and ')} beyond ${LARGEST_FOR_SLOW} vectors too (slow)
  --help                   this`;

/** @returns undefined when help is asked for */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
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

function parseSize(name: string): number | 'full' {
  if (name in SIZES) return SIZES[name as keyof typeof SIZES];
  throw new Error(`--size ${name} is none of ${Object.keys(SIZES).join(', ')}`);
}

function parseEngine(name: string): EngineName {
  const engine = ENGINES.find((known) => known === name);
  if (engine === undefined) throw new Error(`--engines ${name} is none of ${ENGINES.join(', ')}`);
  return engine;
}

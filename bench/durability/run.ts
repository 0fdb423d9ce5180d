/** `npm run bench:durability`: durable writes and recovery, in Node and in Chromium, beside raw appends in one run. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { build, type InlineConfig, preview } from 'vite';
import { browserLaunchOptions } from '../../scripts/browser.ts';
import { benchFolder, dataFolder } from '../folders.ts';
import { median } from '../measure.ts';
import { table } from '../table.ts';
import { measureNode, measureRecovery, type Rates } from './node.ts';
import { BATCH_RECORDS, BATCHES, DIMENSIONS } from './workload.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const RECOVERED_RECORDS = 100_000;

async function measureChromium(rounds: number): Promise<Rates[]> {
  const profile = join(dataFolder, `chromium-${process.pid}`);
  const page: InlineConfig = {
    configFile: false,
    root: join(benchFolder, 'durability'),
    logLevel: 'error',
    worker: { format: 'es' },
    build: { outDir: join(dataFolder, 'durability-page'), emptyOutDir: true },
  };
  await build(page);
  const server = await preview({ ...page, preview: { host: '127.0.0.1', port: 0 } });
  const browser = await chromium.launchPersistentContext(profile, browserLaunchOptions);
  try {
    const tab = await browser.newPage();
    await tab.goto(server.resolvedUrls?.local[0] ?? '');
    await tab.waitForFunction(() => window.measureDurability !== undefined);
    const measured: Rates[] = [];
    for (let round = 0; round < rounds; round++)
      measured.push(await tab.evaluate(() => window.measureDurability()));
    return measured;
  } finally {
    await browser.close();
    await server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

function row(name: string, rounds: readonly Rates[]): string[] {
  const of = (pick: (rates: Rates) => number) => median(rounds.map(pick));
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  return [
    name,
    whole(of(({ strict }) => strict)),
    whole(of(({ strictInFlight }) => strictInFlight)),
    whole(of(({ relaxed }) => relaxed)),
    whole(of(({ raw }) => raw)),
    of(({ strict, raw }) => strict / raw).toFixed(2),
    of(({ strictInFlight, raw }) => strictInFlight / raw).toFixed(2),
  ];
}

const node: Rates[] = [];
for (let round = 0; round < ROUNDS; round++) node.push(await measureNode());
const browser = await measureChromium(ROUNDS);
console.log(
  `\n${BATCHES} batches of ${BATCH_RECORDS} x ${DIMENSIONS}-d, records/s, medians of ${ROUNDS} rounds:\n`,
);
console.log(
  table(
    ['', 'strict', 'strict, 4 at once', 'relaxed', 'raw append + flush', 'strict / raw', '4 at once / raw'],
    [row('Node, files', node), row('Chromium, OPFS', browser)],
  ),
);
const recovery = await measureRecovery(RECOVERED_RECORDS);
console.log(
  `\nRecovery of ${recovery.records.toLocaleString('en')} records from a log of ${Math.round(recovery.logBytes / 1e6)} MB: ` +
    `open after ${Math.round(recovery.openMs)} ms, first query answered after ${Math.round(recovery.firstQueryMs)} ms, ` +
    `with ${recovery.indexed.toLocaleString('en')} of them in the graph.`,
);

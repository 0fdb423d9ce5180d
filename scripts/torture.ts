/**
 * Crashes random lives of a database in every way, for as long as it takes: see test/torture/crash.ts.
 *
 *   npm run torture -- [--images 1000000] [--seed 1]
 *   npm run torture -- --replay '<seed>:<index>:<kind>'
 */
import { parseArgs } from 'node:util';
import { Matrix } from '../test/matrix.ts';
import {
  type CrashOutcome,
  crashLife,
  describeOutcome,
  parsePoint,
  recordOutcome,
} from '../test/torture/crash.ts';

const PROGRESS_INTERVAL_MS = 10_000;
const FAILURES_SHOWN_MAX = 10;

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    replay: { type: 'string' },
  },
});

async function replay(point: string): Promise<void> {
  const { seed, index, kind } = parsePoint(point);
  let tried = 0;
  await crashLife(
    seed,
    (outcome) => {
      tried++;
      if (outcome.error === undefined) return true;
      console.error(describeOutcome(outcome), outcome.error);
      process.exitCode = 1;
      return false;
    },
    { index, kind },
  );
  console.log(`${tried} images tried${process.exitCode ? '' : ', all well'}`);
}

async function run(images: number, firstSeed: number): Promise<void> {
  const matrix = new Matrix('crash-images-long');
  const start = performance.now();
  let tried = 0;
  let failed = 0;
  let toldAt = start;
  const tell = (outcome: CrashOutcome): boolean => {
    recordOutcome(matrix, outcome);
    tried++;
    if (outcome.error !== undefined && ++failed <= FAILURES_SHOWN_MAX)
      console.error(describeOutcome(outcome));
    const now = performance.now();
    if (now - toldAt > PROGRESS_INTERVAL_MS) {
      toldAt = now;
      // Whoever ends it early has these.
      matrix.write();
      const perSecond = Math.round((tried / (now - start)) * 1000);
      console.log(`seed ${outcome.seed}: ${tried} images, ${failed} failed, ${perSecond} a second`);
    }
    return tried < images;
  };
  for (let seed = firstSeed; tried < images; seed++) await crashLife(seed, tell);
  matrix.write();
  const seconds = (performance.now() - start) / 1000;
  console.log(`${tried} images in ${seconds.toFixed(0)} s, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

// Killed lives leave timers behind.
if (values.replay === undefined) await run(Number(values.images), Number(values.seed));
else await replay(values.replay);
process.exit();

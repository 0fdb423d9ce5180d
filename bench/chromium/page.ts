/** The inside of the page: the same trial as in a Node process, over the browser's entry of isovec. */
import * as isovec from '../../dist/index.js';
import type { Footprint, SearchPass } from '../engine.ts';
import { IsovecEngine, type Quantization } from '../engines/isovec.ts';
import { Trial } from '../trial.ts';
import { type MainThreadReport, watchMainThread } from './main-thread.ts';

const LOCATION = 'isovec-bench';

let trial: Trial<Float32Array> | undefined;

async function start(dimensions: number, quantization: Quantization): Promise<void> {
  const [base, queries] = await Promise.all([fetchFloats('/vectors/base'), fetchFloats('/vectors/queries')]);
  trial = new Trial(new IsovecEngine(isovec, LOCATION, quantization), base, queries, dimensions);
  await trial.start();
}

function started(): Trial<Float32Array> {
  if (trial === undefined) throw new Error('start comes first');
  return trial;
}

async function fetchFloats(path: string): Promise<Float32Array> {
  return new Float32Array(await (await fetch(path)).arrayBuffer());
}

const page = {
  start,
  add: (from: number, to: number): Promise<number> => started().add(from, to),
  search: (ef: number): Promise<SearchPass> => started().search(ef),
  searchMany: (ef: number): Promise<number | undefined> => started().searchMany(ef),
  reopen: (): Promise<number | undefined> => started().reopen(),
  footprint: (): Promise<Footprint> => started().footprint(),
  close: (): Promise<void> => started().close(),
  watchAdding: (to: number): Promise<MainThreadReport> =>
    watchMainThread(async () => {
      await started().add(0, to);
    }),
};

declare global {
  interface Window {
    bench: typeof page;
  }
}

window.bench = page;

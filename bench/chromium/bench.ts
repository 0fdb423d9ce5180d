/** The same trial as in a Node process, over the browser's entry of isovec: in a page, or in a worker of its own. */
import * as isovec from '../../dist/index.js';
import type { Footprint, SearchPass } from '../engine.ts';
import { IsovecEngine, type Quantization } from '../engines/isovec.ts';
import { Trial } from '../trial.ts';

const LOCATION = 'isovec-bench';

let trial: Trial<Float32Array> | undefined;

function started(): Trial<Float32Array> {
  if (trial === undefined) throw new Error('start comes first');
  return trial;
}

async function fetchFloats(path: string): Promise<Float32Array> {
  return new Float32Array(await (await fetch(path)).arrayBuffer());
}

export const bench = {
  async start(dimensions: number, quantization: Quantization): Promise<void> {
    const [base, queries] = await Promise.all([
      fetchFloats('/vectors/base'),
      fetchFloats('/vectors/queries'),
    ]);
    trial = new Trial(new IsovecEngine(isovec, LOCATION, quantization), base, queries, dimensions);
    await trial.start();
  },
  add: (from: number, to: number): Promise<number> => started().add(from, to),
  search: (ef: number): Promise<SearchPass> => started().search(ef),
  searchMany: (ef: number): Promise<number | undefined> => started().searchMany(ef),
  reopen: (): Promise<number | undefined> => started().reopen(),
  footprint: (): Promise<Footprint> => started().footprint(),
  close: (): Promise<void> => started().close(),
};

/** The inside of a process that runs one engine: answers the commands of node-contestant.ts, one at a time. */

import { type DatasetName, loadDataset } from './datasets/dataset.ts';
import type { Footprint } from './engine.ts';
import { createNodeEngine, type NodeEngineName } from './engines/registry.ts';
import { Trial } from './trial.ts';

export type Command =
  | { do: 'start'; engine: NodeEngineName; data: DatasetName; count: number }
  | { do: 'add'; from: number; to: number }
  | { do: 'search'; ef: number }
  | { do: 'searchMany'; ef: number }
  | { do: 'reopen' }
  | { do: 'footprint' }
  | { do: 'stop' };

export type Answer = { value: unknown } | { error: string };

let trial: Trial<unknown> | undefined;
let residentBytesBefore = 0;

async function obey(command: Command): Promise<unknown> {
  if (command.do === 'start') return start(command);
  if (trial === undefined) throw new Error('start comes first');
  switch (command.do) {
    case 'add':
      return trial.add(command.from, command.to);
    case 'search':
      return trial.search(command.ef);
    case 'searchMany':
      return trial.searchMany(command.ef);
    case 'reopen':
      return trial.reopen();
    case 'footprint':
      return {
        ...(await trial.footprint()),
        memory: residentBytes() - residentBytesBefore,
      } satisfies Footprint;
    case 'stop':
      return trial.close();
  }
}

async function start({ engine, data, count }: Extract<Command, { do: 'start' }>): Promise<void> {
  const { base, queries, dimensions } = await loadDataset(data, count);
  trial = new Trial(await createNodeEngine(engine), base, queries, dimensions);
  residentBytesBefore = residentBytes();
  await trial.start();
}

/** What the process holds in memory, native and WebAssembly memory included, without garbage and its room. */
function residentBytes(): number {
  globalThis.gc?.();
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - heapTotal + heapUsed;
}

process.on('message', (command: Command) => {
  obey(command).then(
    (value) => process.send?.({ value } satisfies Answer),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

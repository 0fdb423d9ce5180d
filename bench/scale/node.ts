/** The curve's points in Node, on the file system. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder, dataFolder } from '../folders.ts';
import { median } from '../measure.ts';
import type { Step } from './process.ts';
import { type Point, REOPENINGS } from './results.ts';
import type { Build, Held, Queries, Task } from './workload.ts';

export async function measureNode(task: Task): Promise<Point> {
  const folder = mkdtempSync(join(dataFolder, 'scale-'));
  const run = <Result>(step: Step) => runStep<Result>(step, join(folder, 'database'), task);
  try {
    const built = await run<Build & { peakBytes: number }>('build');
    const reopenedMs: number[] = [];
    for (let round = 0; round < REOPENINGS; round++) reopenedMs.push(await run<number>('reopen'));
    const found = await run<Queries & Held & { residentBytes: number }>('search');
    return { runtime: 'Node', ...task, ...built, ...found, reopenMs: median(reopenedMs) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runStep<Result>(step: Step, location: string, task: Task): Promise<Result> {
  const child = fork(join(benchFolder, 'scale', 'process.ts'), [step, location, JSON.stringify(task)], {
    execArgv: ['--import', 'tsx', '--expose-gc'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the process that was to ${step} ended with ${signal ?? code}`);
  });
  const [result] = (await Promise.race([once(child, 'message'), ended])) as [Result];
  await ended.catch(() => undefined);
  return result;
}

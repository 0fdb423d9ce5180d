/**
 * A process that works in a database until it is killed: Node, Deno, Bun. It says what it does through file descriptor
 * 1, synchronously, so that what it has said is said even when it is killed in the next instant.
 */
import { writeSync } from 'node:fs';
import process from 'node:process';
import type { OpenOptions } from '../../src/base/api.ts';
import { prepare, work } from './workload.ts';

export interface WriterTask {
  /** The package, as a module's URL. */
  isovec: string;
  location: string;
  options: OpenOptions;
  seed: number;
  start: number;
  overlap: number;
  /** Of its collections' names. */
  prefix: string;
}

const say = (line: string) => void writeSync(1, `${line}\n`);
const task = JSON.parse(process.argv[2]!) as WriterTask;
say(`process ${process.pid}`);
try {
  const { open } = (await import(task.isovec)) as typeof import('../../src/index.node.ts');
  const database = await open(task.location, task.options);
  say('open');
  await prepare(database, task.prefix);
  await work(database, task.seed, task.start, task.overlap, task.prefix, {
    begun: ({ index, kind }) => say(`begun ${index} ${kind}`),
    acknowledged: ({ index }) => say(`acknowledged ${index}`),
  });
} catch (error) {
  say(`failed ${error instanceof Error ? error.stack : error}`);
  process.exit(1);
}

/** What runs in a thread of Node, Deno or Bun that helps to build or open a graph. */
import { workerData } from 'node:worker_threads';
import { type HelperTask, help } from '../search/build-threads.ts';

if (workerData) help(workerData as HelperTask);

/** What runs in a thread of Node, Deno or Bun that helps to build a graph. */
import { workerData } from 'node:worker_threads';
import { type HelperStart, help } from '../search/build-threads.ts';

if (workerData) help(workerData as HelperStart);

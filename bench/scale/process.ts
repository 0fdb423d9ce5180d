/** One step of one size in a Node process of its own, so that no other step's memory is counted: told on the channel. */
import * as isovec from '../../dist/index.node.js';
import { build, reopen, search, type Task } from './workload.ts';

export type Step = 'build' | 'reopen' | 'search';

const [step, location, json] = process.argv.slice(2) as [Step, string, string];
const task = JSON.parse(json) as Task;

/** Of the whole process, without garbage. */
let residentBytes = 0;
const noteResident = () => {
  globalThis.gc?.();
  residentBytes = process.memoryUsage().rss;
};

switch (step) {
  case 'build': {
    const built = await build(isovec, location, task);
    process.send?.({ ...built, peakBytes: process.resourceUsage().maxRSS * 1024 });
    break;
  }
  case 'reopen':
    process.send?.(await reopen(isovec, location, task));
    break;
  case 'search': {
    const found = await search(isovec, location, task, noteResident);
    process.send?.({ ...found, residentBytes });
  }
}

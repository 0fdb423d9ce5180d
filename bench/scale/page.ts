/** The side of a page. */
import * as isovec from '../../dist/index.js';
import { type Build, build, type Held, type Queries, reopen, search, type Task } from './workload.ts';

const LOCATION = 'isovec-scale';

export interface PageSteps {
  build(task: Task): Promise<Build>;
  reopen(task: Task): Promise<number>;
  search(task: Task): Promise<Queries & Held>;
}

declare global {
  interface Window {
    scale: PageSteps;
  }
}

window.scale = {
  build: (task) => build(isovec, LOCATION, task),
  reopen: (task) => reopen(isovec, LOCATION, task),
  search: (task) => search(isovec, LOCATION, task),
};

/** The inside of the page. With `?own-worker` everything that is measured happens in a worker of its own. */
import * as Comlink from 'comlink';
import { bench } from './bench.ts';
import { type MainThreadReport, watchMainThread } from './main-thread.ts';

const measured: typeof bench = new URLSearchParams(location.search).has('own-worker')
  ? (Comlink.wrap(
      new Worker(new URL('./own-worker.ts', import.meta.url), { type: 'module' }),
    ) as unknown as typeof bench)
  : bench;

const page = {
  // A proxy cannot be spread.
  start: (...given: Parameters<typeof bench.start>) => measured.start(...given),
  add: (from: number, to: number) => measured.add(from, to),
  search: (ef: number) => measured.search(ef),
  searchMany: (ef: number) => measured.searchMany(ef),
  reopen: () => measured.reopen(),
  footprint: () => measured.footprint(),
  close: () => measured.close(),
  watchAdding: (to: number): Promise<MainThreadReport> =>
    watchMainThread(async () => {
      await measured.add(0, to);
    }),
};

declare global {
  interface Window {
    bench: typeof page;
  }
}

window.bench = page;

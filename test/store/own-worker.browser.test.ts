import * as Comlink from 'comlink';
import { afterAll, expect, it } from 'vitest';
import type { OwnWorker } from './own-worker.ts';

const worker = new Worker(new URL('./own-worker.ts', import.meta.url), { type: 'module' });

afterAll(() => worker.terminate());

it('keeps its files in OPFS and answers in its own thread, in a worker of the application, as on any page', async () => {
  const owned = Comlink.wrap<OwnWorker>(worker);
  const ids = ['point 2', 'point 3', 'point 1'];
  expect(await owned.run(`own-worker-${Date.now()}`)).toEqual({ storage: 'opfs', before: ids, after: ids });
});

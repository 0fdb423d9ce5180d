import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { type BuildThreads, type HelperTask, help } from '../../src/search/build-threads.ts';
import type { KernelVectorIndex } from '../../src/search/kernel-index.ts';
import { createThreadedIndex } from '../../src/search/threaded-kernel.ts';
import type { VectorIndexConfig } from '../../src/search/vector-index.ts';
import { loadModule } from '../wasm/load.ts';
import { expectExact, expectSound, loadGraph, oracleOf, saveGraph } from './model.ts';
import { gaussian, random } from './random.ts';

const EVERYTHING = 0x7fff_ffff;
const kernel = loadModule('src/runtime/isovec-threads.wasm');
const CONFIG: VectorIndexConfig = {
  dimensions: 16,
  metric: 'cosine',
  type: 'hnsw',
  m: 8,
  efConstruction: 40,
  quantization: 'none',
};

/** Real threads, from the build. */
class Threads implements BuildThreads {
  readonly kernel = kernel;
  readonly count: number;
  readonly warnings: string[] = [];
  readonly workers: Worker[] = [];

  constructor(count: number) {
    this.count = count;
  }

  spawn: BuildThreads['spawn'] = (start, onEnd) => {
    const helper = new URL('../../dist/runtime/node-helper.js', import.meta.url);
    const worker = new Worker(helper, { workerData: start });
    worker.on('error', onEnd);
    worker.on('exit', (code) => onEnd(code === 0 ? undefined : new Error(`code ${code}`)));
    this.workers.push(worker);
    return { terminate: async () => void (await worker.terminate()) };
  };

  warn(message: string): void {
    this.warnings.push(message);
  }
}

const running: Threads[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).flatMap(({ workers }) => workers.map((each) => each.terminate())));
});

function makeThreaded(count: number, config: Partial<VectorIndexConfig> = {}) {
  const threads = new Threads(count);
  running.push(threads);
  // Helpers from the first pending vector on.
  return { threads, index: createThreadedIndex(threads, { ...CONFIG, ...config }, 0)! };
}

function vectorsOf(count: number, seed: number): Float32Array[] {
  const next = gaussian(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: CONFIG.dimensions }, next));
}

function fill(index: KernelVectorIndex, vectors: Float32Array[]): void {
  for (const [row, vector] of vectors.entries()) index.add(row, vector);
}

/** First it may put in order what waits, and link nothing. */
function finish(index: KernelVectorIndex): void {
  while (index.backlogCount > 0) index.link(EVERYTHING);
}

/** As the store does it: a little at a time, with turns for everything else. @param tasks 0: only others work */
async function linkAlong(index: KernelVectorIndex, tasks: number): Promise<void> {
  while (index.backlogCount > 0) {
    for (let turn = 0; turn < 20; turn++) index.link(tasks);
    await sleep(0);
  }
}

for (const quantization of ['none', 'int8', 'binary'] as const)
  test(`${quantization}: the graph is the same whoever builds it`, async () => {
    const vectors = vectorsOf(3000, 5);
    const config = { quantization };
    const { index: alone } = makeThreaded(0, config);
    fill(alone, vectors);
    finish(alone);
    const graph = saveGraph(alone);
    const { index: shared } = makeThreaded(2, config);
    fill(shared, vectors);
    await linkAlong(shared, 3);
    expect(saveGraph(shared)).toEqual(graph);
    const { index: helped, threads } = makeThreaded(1, config);
    fill(helped, vectors);
    await linkAlong(helped, 0);
    expect(saveGraph(helped)).toEqual(graph);
    expect(threads.warnings).toEqual([]);
  });

test('queries make codes of links while others link, and the graph is the same', async () => {
  const vectors = vectorsOf(3000, 5);
  const { index: alone } = makeThreaded(0);
  fill(alone, vectors);
  finish(alone);
  const { index, threads } = makeThreaded(2, { linkCodes: true });
  fill(index, vectors);
  const held = new Map(vectors.entries());
  const queries = vectorsOf(50, 6);
  for (let asked = 0; index.backlogCount > 0; asked++) {
    for (let turn = 0; turn < 5; turn++) index.link(3);
    const query = queries[asked % 50]!;
    expectSound(index.search(query, 10, 40), held, oracleOf(CONFIG), query);
    await sleep(0);
  }
  expect(saveGraph(index)).toEqual(saveGraph(alone));
  expect(threads.warnings).toEqual([]);
});

test('a helper that is killed at its work is told of, and the graph is the same', async () => {
  const vectors = vectorsOf(4000, 6);
  const { index: alone } = makeThreaded(0);
  fill(alone, vectors);
  finish(alone);
  const { index, threads } = makeThreaded(2);
  fill(index, vectors);
  while (index.pendingCount > 3000) {
    index.link(0);
    await sleep(0);
  }
  void threads.workers[1]!.terminate();
  while (threads.warnings.length === 0) {
    index.link(3);
    await sleep(0);
  }
  await Promise.all(threads.workers.map((each) => each.terminate()));
  await sleep(1);
  finish(index);
  expect(saveGraph(index)).toEqual(saveGraph(alone));
  expect(threads.warnings).toHaveLength(1);
  expect(threads.workers).toHaveLength(2);
});

test('what is removed while its batch is linked takes no part in it', () => {
  for (let seed = 180; seed < 215; seed++) {
    const { index, threads } = makeThreaded(1);
    // Nobody helps: a batch stands open until this thread goes on.
    threads.spawn = () => ({ terminate: async () => {} });
    const choose = random(seed);
    // Near in number, near in space: whoever is linked together chooses one another.
    const centres = vectorsOf(40, seed + 100);
    const vectors = vectorsOf(1500, seed + 200).map((noise, row) =>
      centres[row % centres.length]!.map((value, at) => value + 0.05 * noise[at]!),
    );
    fill(index, vectors);
    const live = new Set(vectors.keys());
    while (index.backlogCount > 0) {
      index.link(1 + Math.floor(choose() * 8));
      for (const row of [...live].filter(() => choose() < 0.0004)) {
        index.remove(row);
        live.delete(row);
      }
    }
    const { index: opened } = makeThreaded(0);
    loadGraph(opened, saveGraph(index));
    expect(index.count).toBe(live.size);
  }
});

test('where no thread can be started, the index is built without', () => {
  const { index, threads } = makeThreaded(2);
  threads.spawn = () => {
    throw new Error('forbidden');
  };
  fill(index, vectorsOf(500, 7));
  while (index.backlogCount > 0) index.link(4);
  expect(index.search(vectorsOf(1, 7)[0]!, 1, 50).rows[0]).toBe(0);
  expect(threads.warnings).toEqual([expect.stringContaining('forbidden')]);
});

test('memory that a graph and its vectors are about to fill is touched by a thread, which changes nothing', () => {
  const dimensions = 1024;
  const { index, threads } = makeThreaded(1, { dimensions });
  const tasks: HelperTask[] = [];
  threads.spawn = (task) => {
    tasks.push(task);
    return { terminate: async () => {} };
  };
  index.reserve(1000);
  index.prepareMemory();
  expect(tasks).toEqual([]);
  index.reserve(20_000);
  index.prepareMemory();
  expect(tasks).toEqual([{ memory: expect.any(WebAssembly.Memory), touchedBytes: index.memoryBytes }]);
  const vector = new Float32Array(dimensions).fill(3);
  index.add(0, vector);
  help(tasks[0]!);
  expect(index.scan(vector, 1).rows[0]).toBe(0);
  threads.spawn = () => {
    throw new Error('forbidden');
  };
  index.prepareMemory();
  expect(threads.warnings).toEqual([]);
});

test('while threads link, whatever is added, removed and searched for is as a plain map has it', async () => {
  const step = fc.record({
    do: fc.constantFrom('add', 'add', 'remove', 'link', 'link', 'finish', 'search', 'reopen', 'wait'),
    count: fc.integer({ min: 1, max: 120 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 150, size: 'max' }), async (steps) => {
      const oracle = oracleOf({ metric: CONFIG.metric });
      const model = new Map<number, Float32Array>();
      let { index, threads } = makeThreaded(1);
      let nextRow = 0;
      for (const { do: what, count, seed } of steps) {
        const choose = random(seed);
        if (what === 'add')
          for (const vector of vectorsOf(count, seed)) {
            model.set(nextRow, vector);
            index.add(nextRow++, vector);
          }
        if (what === 'remove')
          for (const row of [...model.keys()].filter(() => choose() < count / 240)) {
            model.delete(row);
            index.remove(row);
          }
        if (what === 'link') index.link(count % 8);
        if (what === 'finish') index.link(count * 100);
        if (what === 'wait') await sleep(1);
        if (what === 'search') {
          const [query] = vectorsOf(1, seed);
          expectSound(index.search(query!, count, count), model, oracle, query!);
          expectExact(index.scan(query!, count), model, oracle, query!, count);
        }
        if (what === 'reopen') {
          const image = saveGraph(index);
          await Promise.all(threads.workers.map((worker) => worker.terminate()));
          ({ index, threads } = makeThreaded(1));
          loadGraph(index, image);
          for (const [row, vector] of model) index.add(row, vector);
        }
        expect(index.count).toBe(model.size);
      }
    }),
    { numRuns: 15, seed: 3, endOnFailure: true },
  );
});

test('the memory foreseen for vectors is what they take, helpers and all', async () => {
  const { threads, index } = makeThreaded(3);
  index.spareMemory();
  const before = index.memoryBytes;
  const foreseen = index.bytesFor(5000);
  fill(index, vectorsOf(5000, 8));
  await linkAlong(index, 4);
  expect(threads.workers).toHaveLength(3);
  const taken = index.memoryBytes - before;
  // Memory grows by a sixty-fourth ahead of what is needed, and its last page is never full.
  const ahead = index.memoryBytes / 64 + 65_536;
  expect(taken).toBeLessThan(foreseen + ahead);
  expect(taken).toBeGreaterThan(foreseen / 1.5);
});

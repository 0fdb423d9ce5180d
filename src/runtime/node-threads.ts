import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { OpenOptions } from '../base/api.ts';
import { type BuildThreads, helpersCount } from '../search/build-threads.ts';
import type { Events } from '../store/events.ts';

/** Compiled once, however many databases are opened. */
let kernel: Promise<WebAssembly.Module> | undefined;

async function compileKernel(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL('./isovec-threads.wasm', import.meta.url)));
}

/** Threads of Node, Deno or Bun. They keep no process alive. */
export async function nodeThreads(
  { buildThreads = 'auto' }: OpenOptions,
  events: Events,
): Promise<BuildThreads | undefined> {
  // Not everywhere as long as in Node.
  const count = helpersCount(buildThreads, availableParallelism?.() ?? cpus().length);
  if (count === 0) return undefined;
  kernel ??= compileKernel();
  return {
    kernel: await kernel,
    count,
    warn: (message) => events.emit('warning', { code: 'UNSUPPORTED', message }),
    spawn(task, onEnd) {
      const worker = new Worker(new URL('./node-helper.js', import.meta.url), {
        name: 'isovec-helper',
        workerData: task,
      });
      worker.on('error', onEnd);
      worker.on('exit', (code) => onEnd(code === 0 ? undefined : new Error(`it exited with code ${code}`)));
      worker.unref();
      return { terminate: async () => void (await worker.terminate()) };
    },
  };
}

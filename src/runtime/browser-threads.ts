import type { OpenOptions } from '../base/api.ts';
import { type BuildThreads, helpersCount } from '../search/build-threads.ts';
import type { Events } from '../store/events.ts';

/** A worker's code may run on for a moment after terminate(). */
const TERMINATION_MS = 250;

/** Workers within the engine's own, in a page that is cross-origin isolated. */
export async function browserThreads(
  { buildThreads = 'auto' }: OpenOptions,
  events: Events,
  loadModule: (url: URL) => Promise<WebAssembly.Module>,
): Promise<BuildThreads | undefined> {
  // Pages may not wait, not even for a millisecond.
  if (typeof document !== 'undefined') return undefined;
  const count = helpersCount(buildThreads, navigator.hardwareConcurrency);
  if (count === 0 || typeof Worker === 'undefined') return undefined;
  return {
    kernel: await loadModule(new URL('./isovec-threads.wasm', import.meta.url)),
    count,
    warn: (message) => events.emit('warning', { code: 'UNSUPPORTED', message }),
    spawn(task, onEnd) {
      const worker = new Worker(new URL('./browser-helper.js', import.meta.url), {
        type: 'module',
        name: 'isovec-helper',
      });
      worker.addEventListener('message', () => onEnd());
      worker.addEventListener('error', (event) =>
        onEnd(new Error(event.message || 'it could not be started')),
      );
      worker.addEventListener('messageerror', () => onEnd(new Error('a message could not be read')));
      worker.postMessage(task);
      return {
        terminate() {
          worker.terminate();
          return new Promise((resolve) => setTimeout(resolve, TERMINATION_MS));
        },
      };
    },
  };
}

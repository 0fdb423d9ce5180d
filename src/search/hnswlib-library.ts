/** Starts hnswlib-wasm, an optional peer dependency, where it can be started. */
import type { HnswlibLibrary } from 'hnswlib-wasm/dist/hnswlib-317962d7.js';
import { IsovecError } from '../base/errors.ts';

/**
 * An instance of its own: memory of 2 GB at most, freed with the last reference to it.
 * @throws IsovecError UNSUPPORTED where the package is missing or cannot run
 */
export async function startHnswlib(): Promise<HnswlibLibrary> {
  const start = await importFactory();
  try {
    return await asInPage(() => start({ print: ignore, printErr: ignore }));
  } catch (cause) {
    throw unsupported(`hnswlib-wasm cannot start here: ${reasonOf(cause)}`, cause);
  }
}

type Factory = typeof import('hnswlib-wasm/dist/hnswlib-317962d7.js')['default'];

/**
 * The factory itself: the package's entry cannot be imported by name in Node, and mounts a file system in IndexedDB
 * that nothing here uses. Within `try` a bundler that does not find the package only warns.
 */
async function importFactory(): Promise<Factory> {
  try {
    return (await import('hnswlib-wasm/dist/hnswlib-317962d7.js')).default;
  } catch (cause) {
    throw unsupported('it is a package of its own: npm install hnswlib-wasm@0.8.2', cause);
  }
}

/**
 * It asks, while it is called, whether it is in a page or a worker, and refuses to run elsewhere, where it runs as well.
 * So Node, Deno and Bun have a `window` for that one turn.
 */
function asInPage<T>(call: () => T): T {
  const isWeb = 'window' in globalThis || 'importScripts' in globalThis;
  if (isWeb) return call();
  Object.defineProperty(globalThis, 'window', { value: globalThis, configurable: true });
  try {
    return call();
  } finally {
    Reflect.deleteProperty(globalThis, 'window');
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof EvalError)
    return "it makes functions from strings, and the content security policy has no 'unsafe-eval'";
  return cause instanceof Error ? cause.message : String(cause);
}

function unsupported(message: string, cause: unknown): IsovecError {
  return new IsovecError('UNSUPPORTED', `index.engine 'hnswlib-wasm': ${message}`, {
    details: { path: 'config.index.engine' },
    cause,
  });
}

function ignore(): void {}

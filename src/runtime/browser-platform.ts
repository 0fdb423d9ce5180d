import type { StorageStats } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import { WebLocks } from '../storage/lock-web.ts';
import { isOpfsAvailable, OpfsProvider } from '../storage/opfs.ts';
import type { Platform, PlatformStorage } from '../store/platform.ts';

/** A browser: a dedicated worker, where OPFS can be had, or a page. */
export const browserPlatform: Platform = {
  async storage(kind, location) {
    switch (kind) {
      case 'memory':
        return { provider: new (await import('../storage/memory.ts')).MemoryProvider() };
      case 'opfs':
        return opfsStorage();
      case 'indexeddb':
        return indexedDbStorage();
      case 'auto':
        return chooseStorage(location);
      case 'fs':
        throw new IsovecError(
          'UNSUPPORTED',
          "storage 'fs' is for Node, Deno and Bun; here there are 'opfs', 'indexeddb' and 'memory'",
          { details: { path: 'options.storage' } },
        );
    }
  },

  loadKernel(variant) {
    // written out: bundlers look for just this
    return loadModule(
      variant === 'codes'
        ? new URL('./isovec-codes.wasm', import.meta.url)
        : new URL('./isovec.wasm', import.meta.url),
    );
  },

  async loadThreads(options, events) {
    if (!crossOriginIsolated) return undefined;
    return (await import('./browser-threads.ts')).browserThreads(options, events, loadModule);
  },

  yieldTurn(callback) {
    // A message comes after those that wait already; timers would be slowed to 4 ms.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      callback();
    };
    port2.postMessage(undefined);
  },
};

async function loadModule(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok)
    throw new IsovecError('STORAGE_IO', `the kernel could not be loaded: ${response.status} ${response.url}`);
  // Streaming wants the right content type, which not every server sends.
  if (response.headers.get('content-type') === 'application/wasm')
    return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

function opfsStorage(): PlatformStorage {
  return {
    provider: new OpfsProvider(() => import('../store/on-demand.ts')),
    locks: new WebLocks('opfs'),
    estimate: originSpace,
  };
}

/** Loaded where it is needed, for most never do. */
async function indexedDbStorage(): Promise<PlatformStorage> {
  const { IndexedDbProvider } = await import('../storage/indexeddb.ts');
  return { provider: new IndexedDbProvider(), locks: new WebLocks('indexeddb'), estimate: originSpace };
}

/** OPFS where it works; but a database stays where it began its life. */
async function chooseStorage(location: string): Promise<PlatformStorage> {
  const opfs = opfsStorage();
  // Asked first, because a page, which cannot write to OPFS, can look there, and destroy what its worker made.
  if (await opfs.provider.exists(location).catch(() => false)) return opfs;
  const indexedDb = await indexedDbStorage();
  if (!(await isOpfsAvailable()))
    return {
      ...indexedDb,
      warning: 'OPFS cannot be used here (it needs a dedicated worker), so IndexedDB is',
    };
  return (await indexedDb.provider.exists(location)) ? indexedDb : opfs;
}

/** Nothing of what this browser does not say: Safari's private windows and old browsers say little. */
async function originSpace(): Promise<Omit<StorageStats, 'retries'>> {
  const { storage } = navigator as { storage?: Partial<StorageManager> };
  const [estimate, persisted] = await Promise.all([
    storage?.estimate?.().catch(() => undefined),
    storage?.persisted?.().catch(() => undefined),
  ]);
  const { usage, quota } = estimate ?? {};
  return {
    ...(persisted !== undefined && { persisted }),
    ...(usage !== undefined && { usageBytes: usage }),
    ...(quota !== undefined && { quotaBytes: quota }),
    ...(usage !== undefined && quota !== undefined && { availableBytes: Math.max(0, quota - usage) }),
  };
}

import type { Database, OpenOptions, RestoreOptions, RestoreReport } from '../base/api.ts';
import { checkOpenOptions, type EngineOptions } from '../store/open-options.ts';
import type { SpawnedWorker } from '../worker/link.ts';
import { openRemote } from '../worker/remote-database.ts';
import { hostOver } from '../worker/wire.ts';
import { watchPage } from './browser-page.ts';
import { askToPersist, leaveTrace, readTraces, removeTraces } from './page.ts';

/**
 * Opens a database, creating it if it is not there.
 * @param location a name: one OPFS directory, or one IndexedDB database, per name and origin. Any label for 'memory'
 *        storage, which vanishes when closed.
 * @throws IsovecError INVALID_ARGUMENT, LOCK_TIMEOUT, CORRUPTION, FORMAT_VERSION, STORAGE_IO, QUOTA_EXCEEDED, ABORTED,
 *         UNSUPPORTED
 */
export async function open(location: string, options: OpenOptions = {}): Promise<Database> {
  checkOpenOptions(location, options);
  askToPersist(options);
  const told: EngineOptions = { ...options, traces: readTraces(location) };
  const database = await openEngine(location, told);
  if (database.storage !== 'memory') leaveTrace(location, database.storage);
  return database;
}

async function openEngine(location: string, options: EngineOptions): Promise<Database> {
  if (wantsWorker(options)) return openRemote(spawnWorker(), location, options);
  // Apart, so that a page whose engine runs in a worker does not load it twice.
  const [{ openLocal }, { browserPlatform }] = await Promise.all([
    import('../store/open.ts'),
    import('./browser-platform.ts'),
  ]);
  return openLocal(browserPlatform, location, options);
}

/**
 * Removes a database and all its files.
 * @throws IsovecError LOCK_TIMEOUT while another context has it open for writing
 */
export async function destroy(location: string, options: OpenOptions = {}): Promise<void> {
  checkOpenOptions(location, options);
  const [{ destroyLocal }, { browserPlatform }] = await Promise.all([
    import('../store/destroy.ts'),
    import('./browser-platform.ts'),
  ]);
  await destroyLocal(browserPlatform, location, options);
  removeTraces(location, options.storage ?? 'auto');
}

/**
 * Builds a database at `destination` with the state that the one at `source` had after one of its writes. The source
 * must have been opened with the option `archive`; it may be open meanwhile, and nothing of it is changed.
 * @param destination a place where no database is
 * @throws IsovecError NOT_FOUND without an archive; INVALID_ARGUMENT for a state outside it, naming the range, and for a
 *         destination that is not empty; CORRUPTION, naming the file, where the archive is damaged; otherwise as `open`
 */
export async function restore(
  source: string,
  destination: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const { restoreHere } = await import('./browser-restore.ts');
  return restoreHere(source, destination, options, () => (wantsWorker(options) ? spawnWorker() : undefined));
}

/** Under 'auto' a page gets a worker; what runs in one already needs no other. */
function wantsWorker({ worker = 'auto' }: OpenOptions): boolean {
  return worker === 'auto' ? typeof document !== 'undefined' && typeof Worker !== 'undefined' : worker;
}

function spawnWorker(): SpawnedWorker {
  const worker = new Worker(new URL('./browser-worker.js', import.meta.url), {
    type: 'module',
    name: 'isovec',
  });
  return {
    host: hostOver({
      post: (message, transfer) => worker.postMessage(message, transfer),
      listen: (listener) => worker.addEventListener('message', ({ data }) => listener(data as never)),
    }),
    onFailure: (listener) => {
      worker.addEventListener('error', (event) => listener(new Error(event.message)));
      worker.addEventListener('messageerror', () => listener(new Error('a message could not be read')));
    },
    terminate: () => worker.terminate(),
    // Only a page can be stopped, and a worker with it.
    ...(typeof document !== 'undefined' && { watchPage }),
  };
}

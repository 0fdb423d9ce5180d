import { Worker } from 'node:worker_threads';
import type { Database, OpenOptions, RestoreOptions, RestoreReport } from '../base/api.ts';
import { destroyLocal } from '../store/destroy.ts';
import { openLocal } from '../store/open.ts';
import { checkOpenOptions } from '../store/open-options.ts';
import type { SpawnedWorker } from '../worker/link.ts';
import { nodePlatform } from './node-platform.ts';

/**
 * Opens a database, creating it if it is not there.
 * @param location a folder. Any label for 'memory' storage, which vanishes when closed.
 * @throws IsovecError INVALID_ARGUMENT, LOCK_TIMEOUT, CORRUPTION, FORMAT_VERSION, STORAGE_IO, QUOTA_EXCEEDED, ABORTED,
 *         UNSUPPORTED
 */
export async function open(location: string, options: OpenOptions = {}): Promise<Database> {
  checkOpenOptions(location, options);
  if (options.worker !== true) return openLocal(nodePlatform, location, options);
  const { openRemote } = await import('../worker/remote-database.ts');
  return openRemote(await spawnWorker(), location, options);
}

/**
 * Removes a database and all its files.
 * @throws IsovecError LOCK_TIMEOUT while another context has it open for writing
 */
export async function destroy(location: string, options: OpenOptions = {}): Promise<void> {
  checkOpenOptions(location, options);
  return destroyLocal(nodePlatform, location, options);
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
  const [{ checkRestoreOptions }, { restoreLocal }] = await Promise.all([
    import('../store/restore-options.ts'),
    import('../store/on-demand.ts'),
  ]);
  checkRestoreOptions(source, destination, options);
  return restoreLocal(nodePlatform, source, destination, options);
}

async function spawnWorker(): Promise<SpawnedWorker> {
  const [{ hostOver }, { nodePort }] = await Promise.all([
    import('../worker/wire.ts'),
    import('./node-port.ts'),
  ]);
  const worker = new Worker(new URL('./node-worker.js', import.meta.url), { name: 'isovec' });
  return {
    host: hostOver(nodePort(worker)),
    onFailure: (listener) => {
      worker.on('error', listener);
      worker.on('messageerror', listener);
      worker.on('exit', (code) => listener(new Error(`it exited with code ${code}`)));
    },
    terminate: () => void worker.terminate(),
    keepAlive: (isAlive) => (isAlive ? worker.ref() : worker.unref()),
  };
}

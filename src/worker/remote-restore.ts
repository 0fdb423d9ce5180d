import type { RestoreOptions, RestoreReport } from '../base/api.ts';
import type { SpawnedWorker } from './link.ts';
import { startRemote } from './remote-database.ts';

/** Restores in a worker of its own. As the public `restore`. */
export async function restoreRemote(
  worker: SpawnedWorker,
  source: string,
  destination: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { onProgress, signal, worker: _, ...remote } = options;
  return startRemote(worker, { onProgress, signal }, async (link, _events, port) => {
    const report = await link.ask((host) => host.restore(source, destination, remote, port));
    link.end();
    return report;
  });
}

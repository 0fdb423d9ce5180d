import type { RestoreOptions, RestoreReport } from '../base/api.ts';
import { checkRestoreOptions } from '../store/restore-options.ts';
import type { SpawnedWorker } from '../worker/link.ts';

/** As the public `restore`. @param spawn gives a worker where one is to do it */
export async function restoreHere(
  source: string,
  destination: string,
  options: RestoreOptions,
  spawn: () => SpawnedWorker | undefined,
): Promise<RestoreReport> {
  checkRestoreOptions(source, destination, options);
  const worker = spawn();
  if (worker) {
    const { restoreRemote } = await import('../worker/remote-restore.ts');
    return restoreRemote(worker, source, destination, options);
  }
  const [{ restoreLocal }, { browserPlatform }] = await Promise.all([
    import('../store/on-demand.ts'),
    import('./browser-platform.ts'),
  ]);
  return restoreLocal(browserPlatform, source, destination, options);
}

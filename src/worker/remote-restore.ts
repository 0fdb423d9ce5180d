import type { RestoreOptions, RestoreReport } from '../base/api.ts';
import { Events } from '../store/events.ts';
import { type SpawnedWorker, WorkerLink } from './link.ts';
import { OPENING_ABORT_ID } from './protocol.ts';
import { receiveEvents } from './remote-database.ts';

/** Restores in a worker of its own. As the public `restore`. */
export async function restoreRemote(
  worker: SpawnedWorker,
  source: string,
  destination: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { onProgress, signal, worker: _, ...remote } = options;
  const link = new WorkerLink(worker);
  const events = new Events();
  if (onProgress) events.on('progress', onProgress);
  const abort = () => link.abort(OPENING_ABORT_ID);
  signal?.addEventListener('abort', abort);
  try {
    const port = receiveEvents(events);
    return await link.ask((host) => host.restore(source, destination, remote, port));
  } finally {
    signal?.removeEventListener('abort', abort);
    link.end();
  }
}

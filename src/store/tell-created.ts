import type { StorageProvider } from '../storage/storage.ts';
import type { Events } from './events.ts';
import type { EngineOptions } from './open-options.ts';

/** A database that has just been made. */
export interface Created {
  location: string;
  kind: StorageProvider['kind'];
  options: EngineOptions;
  /** As in StorageBackend. */
  lost: string | undefined;
}

/** Warns when a new database stands where there are traces of another. */
export function tellCreated({ location, kind, options, lost }: Created, events: Events): void {
  const { traces = {}, storage = 'auto' } = options;
  const wasIn =
    traces[kind] !== undefined || storage !== 'auto'
      ? kind
      : (['opfs', 'indexeddb'] as const).find((other) => traces[other] !== undefined);
  const since = wasIn && traces[wasIn];
  if (lost !== undefined)
    events.emit('warning', {
      code: 'CORRUPTION',
      message: `the browser found the storage of '${location}' damaged, and removed it: ${lost}; a new database was made`,
      details: { location, storage: kind },
    });
  if (since === undefined) return;
  const known = `known here since ${new Date(since).toISOString()}`;
  events.emit('warning', {
    code: 'NOT_FOUND',
    message: `'${location}', ${known} in storage '${wasIn}', is gone or cannot be reached; a new database was made in '${kind}'`,
    details: { location, storage: wasIn, knownSince: new Date(since) },
  });
}

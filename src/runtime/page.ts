import type { OpenOptions } from '../base/api.ts';
import type { Traces } from '../store/open-options.ts';

/** What only a page can do for a database: ask that its data be kept, and keep traces of it in localStorage. */

const KINDS = ['opfs', 'indexeddb'] as const;

/** Never waited for: Firefox asks its user, who may never answer. What came of it is in `stats().storage`. */
export function askToPersist({ persist = true, readOnly, storage }: OpenOptions): void {
  if (!persist || readOnly || storage === 'memory' || typeof document === 'undefined') return;
  const { storage: manager } = navigator as { storage?: Partial<StorageManager> };
  manager?.persist?.().catch(() => {});
}

/**
 * Traces are in localStorage because clearing OPFS or IndexedDB leaves it, and so does Chromium when it evicts an
 * origin for want of space. Only pages have it, and not all of them: no traces, then.
 */
export function readTraces(location: string): Traces {
  const traces: Traces = {};
  for (const kind of KINDS) {
    const since = Number(attempt((storage) => storage.getItem(key(kind, location))));
    if (since > 0) traces[kind] = since;
  }
  return traces;
}

/** @param kind of storage in which the database is now */
export function leaveTrace(location: string, kind: string): void {
  attempt((storage) => {
    const name = key(kind, location);
    if (storage.getItem(name) === null) storage.setItem(name, String(Date.now()));
  });
}

/** @param kind 'auto' stands for all */
export function removeTraces(location: string, kind: string): void {
  for (const each of kind === 'auto' ? KINDS : [kind])
    attempt((storage) => storage.removeItem(key(each, location)));
}

function key(kind: string, location: string): string {
  return `isovec:${kind}:${location}`;
}

/** Even to look at localStorage is an error where the user has forbidden it. */
function attempt<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return typeof localStorage === 'undefined' ? undefined : use(localStorage);
  } catch {
    return undefined;
  }
}

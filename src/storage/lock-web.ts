import { IsovecError } from '../base/errors.ts';
import type { HeldLock, LockOptions, LockProvider } from './lock.ts';
import { whenWaitingEnds } from './lock-waiting.ts';
import type { StorageKind } from './storage.ts';

const ADVICE = '; to share it, open it with worker: true everywhere';

/** Web Locks: among all tabs and workers of an origin. The browser passes a lock on when its holder is closed or killed. */
export class WebLocks implements LockProvider {
  readonly #kind: StorageKind;

  /** @param kind databases of one name in different kinds of storage are different databases */
  constructor(kind: StorageKind) {
    this.#kind = kind;
  }

  /** @throws IsovecError UNSUPPORTED where there are no Web Locks, besides what every lock throws */
  async acquire(location: string, options: LockOptions): Promise<HeldLock> {
    const locks = availableLocks();
    const name = `isovec:${this.#kind}:${location}`;
    return new Promise((resolve, reject) => {
      const giveUp = new AbortController();
      const onEnd = (reason: IsovecError) => {
        giveUp.abort();
        reject(reason);
      };
      const stopWaiting = whenWaitingEnds(location, options, onEnd, ADVICE);
      let isGranted = false;
      // The browser holds the lock until the promise that this callback returns has settled.
      const request = locks.request(name, { signal: giveUp.signal }, () => {
        stopWaiting();
        isGranted = true;
        return new Promise<void>((letGo) => {
          resolve({
            async release() {
              letGo();
              await settled;
            },
          });
        });
      });
      // It fails before it is granted, or afterwards when somebody steals the lock.
      const settled = request.catch((thrown: unknown) => {
        stopWaiting();
        const reason = thrown instanceof Error ? thrown : new Error(String(thrown));
        if (isGranted) options.onLost?.(reason);
        else reject(requestFailed(location, reason));
      });
    });
  }
}

function availableLocks(): LockManager {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  if (!locks)
    throw new IsovecError(
      'UNSUPPORTED',
      'there are no Web Locks here to keep two writers apart: they need a page served over https or from localhost',
    );
  return locks;
}

function requestFailed(location: string, cause: Error): IsovecError {
  return new IsovecError('STORAGE_IO', `cannot ask for the lock of '${location}': ${cause.message}`, {
    details: { location },
    cause,
  });
}

import { mkdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  LOCK_FOLDER_NAME,
  prepareFolder,
  systemErrorCode,
  TAKEOVER_FOLDER_NAME,
  translated,
} from './fs-folder.ts';
import type { HeldLock, LockOptions, LockProvider } from './lock.ts';
import { lockTimedOut, waitingAborted } from './lock-waiting.ts';

/** A holder that has not renewed its lock for so long counts as dead. */
const STALE_MS = 5000;
/** How often a holder renews: several times within STALE_MS, for a busy thread is late. */
const RENEWAL_MS = 1000;

const RETRY_MS_MIN = 5;
/** The longest that a freed lock goes unnoticed. */
const RETRY_MS_MAX = 200;

/** What others may do to the lock while it is being asked for: held, or gone together with the folder. */
const TRY_AGAIN_CODES = new Set(['ELOCKED', 'ENOENT', 'ENOTEMPTY', 'EEXIST']);

/**
 * A folder inside the database's folder stands for the lock, by proper-lockfile: among all threads and processes, on
 * Node, Deno and Bun. A killed holder's lock passes on after STALE_MS.
 */
export class FileLocks implements LockProvider {
  /** Makes the database's folder when it is not there.
   *  @throws IsovecError INVALID_ARGUMENT and STORAGE_IO for the folder, besides what every lock throws */
  async acquire(location: string, options: LockOptions): Promise<HeldLock> {
    const deadline = performance.now() + options.timeoutMs;
    for (let wait = RETRY_MS_MIN; ; wait = Math.min(wait * 2, RETRY_MS_MAX)) {
      if (options.signal?.aborted) throw waitingAborted(location, options.signal);
      const held = await attempt(location, options);
      if (held) return held;
      const left = deadline - performance.now();
      if (left <= 0) throw lockTimedOut(location, options.timeoutMs);
      await pause(Math.min(left, wait * (0.5 + Math.random() / 2)), options.signal);
    }
  }
}

async function attempt(location: string, { onLost }: LockOptions): Promise<HeldLock | undefined> {
  await prepareFolder(location, true);
  const what = `lock the folder '${location}'`;
  let isHeld = true;
  const unlock = await translated(what, { location }, () =>
    lockOnce(location, (reason) => {
      if (isHeld) onLost?.(reason);
      isHeld = false;
    }),
  );
  if (!unlock) {
    await translated(what, { location }, () => removeIfDead(location));
    return undefined;
  }
  return {
    async release() {
      if (!isHeld) return;
      isHeld = false;
      await translated(`unlock the folder '${location}'`, { location }, unlock);
    },
  };
}

/** @returns what unlocks, or undefined when somebody else holds the lock */
async function lockOnce(
  location: string,
  onCompromised: (reason: Error) => void,
): Promise<(() => Promise<void>) | undefined> {
  // Loaded on first use: it patches node:fs and listens to the process's signals when it is loaded.
  const { default: lockfile } = await import('proper-lockfile');
  try {
    return await lockfile.lock(location, {
      lockfilePath: join(location, LOCK_FOLDER_NAME),
      stale: Number.POSITIVE_INFINITY, // never removes a dead holder's lock: see removeIfDead
      update: RENEWAL_MS,
      onCompromised,
    });
  } catch (thrown) {
    if (TRY_AGAIN_CODES.has(systemErrorCode(thrown) ?? '')) return undefined;
    throw thrown;
  }
}

/**
 * Removes the lock of a holder that is dead. proper-lockfile would look at its age and remove it in two steps, so that
 * of two who find it, the slower removes the new lock of the faster. Here only whoever makes the takeover folder may
 * remove, and looks at the age while that stands.
 */
async function removeIfDead(location: string): Promise<void> {
  const lock = join(location, LOCK_FOLDER_NAME);
  const takeover = join(location, TAKEOVER_FOLDER_NAME);
  if (!(await isStale(lock))) return;
  if (!(await done(mkdir(takeover), 'EEXIST'))) {
    if (await isStale(takeover)) await done(rmdir(takeover), 'ENOENT'); // died while taking over
    return;
  }
  try {
    if (await isStale(lock)) await done(rmdir(lock), 'ENOENT');
  } finally {
    await done(rmdir(takeover), 'ENOENT');
  }
}

async function isStale(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).mtimeMs < Date.now() - STALE_MS;
  } catch (thrown) {
    if (systemErrorCode(thrown) === 'ENOENT') return false;
    throw thrown;
  }
}

/** @returns false when it failed with this code: somebody else was faster. The folder itself may have gone, too. */
async function done(operation: Promise<unknown>, expectedCode: string): Promise<boolean> {
  try {
    await operation;
    return true;
  } catch (thrown) {
    const code = systemErrorCode(thrown);
    if (code === expectedCode || code === 'ENOENT') return false;
    throw thrown;
  }
}

function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal?.addEventListener('abort', end);
  });
}

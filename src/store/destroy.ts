import { pause } from '../base/abort.ts';
import type { OpenOptions } from '../base/api.ts';
import type { LockOptions, LockProvider } from '../storage/lock.ts';
import { lockTimedOut, waitingAborted } from '../storage/lock-waiting.ts';
import { retrying } from '../storage/retrying.ts';
import { LOCK_TIMEOUT_DEFAULT_MS } from './open-options.ts';
import type { Platform } from './platform.ts';

/** Removes a database. As the public `destroy`. */
export async function destroyLocal(
  platform: Platform,
  location: string,
  { storage = 'auto', lockTimeout = LOCK_TIMEOUT_DEFAULT_MS, signal }: OpenOptions,
): Promise<void> {
  const { provider: found, locks } = await platform.storage(storage, location);
  const provider = retrying(found, signal && { signal });
  if (!(await provider.exists(location))) return;
  const lock = await locks?.acquire(location, { timeoutMs: lockTimeout, ...(signal && { signal }) });
  try {
    await untilUnused(location, locks, { timeoutMs: lockTimeout, ...(signal && { signal }) });
    await provider.destroy(location);
  } finally {
    await lock?.release();
  }
}

const LOOK_MS = 20;

/** With the lock held nobody can write, but others may have the place open and be about to. */
async function untilUnused(
  location: string,
  locks: LockProvider | undefined,
  { timeoutMs, signal }: LockOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (await locks?.isInUse?.(location)) {
    if (signal?.aborted) throw waitingAborted(location, signal);
    if (performance.now() >= deadline) throw lockTimedOut(location, timeoutMs);
    await pause(LOOK_MS, signal);
  }
}

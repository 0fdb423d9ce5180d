import type { OpenOptions } from '../base/api.ts';
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
    await provider.destroy(location);
  } finally {
    await lock?.release();
  }
}

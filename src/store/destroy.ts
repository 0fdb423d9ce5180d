import type { OpenOptions } from '../base/api.ts';
import { LOCK_TIMEOUT_DEFAULT_MS } from './open-options.ts';
import type { Platform } from './platform.ts';

/** Removes a database. As the public `destroy`. */
export async function destroyLocal(
  platform: Platform,
  location: string,
  { storage = 'auto', lockTimeout = LOCK_TIMEOUT_DEFAULT_MS, signal }: OpenOptions,
): Promise<void> {
  const { provider, locks } = await platform.storage(storage, location);
  if (!(await provider.exists(location))) return;
  const lock = await locks?.acquire(location, { timeoutMs: lockTimeout, ...(signal && { signal }) });
  try {
    await provider.destroy(location);
  } finally {
    await lock?.release();
  }
}

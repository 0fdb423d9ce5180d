import { areEqual } from '../base/bytes.ts';
import { MANIFEST_NAME } from '../journal/manifest.ts';
import type { StorageBackend } from '../storage/storage.ts';
import type { Engine } from './engine.ts';

/** More than one checkpoint while one reader opens is already rare. */
const OPENING_ATTEMPTS_MAX = 5;

/** Who opens without the lock may find files replaced while it reads them; then it reads again. */
export async function recoverUndisturbed(
  storage: StorageBackend,
  attempt: () => Promise<Engine>,
): Promise<Engine> {
  for (let count = 1; ; count++) {
    const before = await storage.load(MANIFEST_NAME).catch(() => undefined);
    try {
      return await attempt();
    } catch (error) {
      const after = await storage.load(MANIFEST_NAME).catch(() => undefined);
      if (!before || !after || areEqual(before, after) || count === OPENING_ATTEMPTS_MAX) throw error;
    }
  }
}

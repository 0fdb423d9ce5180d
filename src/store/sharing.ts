/** Everything that is needed only where several may have the same files open for writing: loaded only there. */
import type { HeldLock } from '../storage/lock.ts';
import type { Engine } from './engine.ts';
import { Follower } from './follower.ts';
import { SharedLease } from './shared-lease.ts';

/**
 * From now on the engine keeps up with what others write.
 * @param lock held; left out for an engine that never writes, like the next
 * @param acquire gets it again
 */
export function share(engine: Engine, lock?: HeldLock, acquire?: () => Promise<HeldLock>): void {
  const follower = new Follower(engine);
  engine.follower = follower;
  if (!lock || !acquire) return;
  const parts = {
    acquire,
    catchUp: () => follower.catchUp(),
    settle: () => engine.journal.flush(),
    onFailed: (reason: unknown) => engine.fail(reason),
  };
  engine.lease = new SharedLease(parts, lock);
}

import type { HeldLock, LockOptions, LockProvider } from '../../src/storage/lock.ts';
import { whenWaitingEnds } from '../../src/storage/lock-waiting.ts';

/** By location: who waits, first come first served. A location that is here is held. */
let queues: Map<string, (() => void)[]> | undefined;

/** By location: how many have it open. */
let present: Map<string, number> | undefined;

/** Locks among those who share this thread's memory. They are never lost. */
export class MemoryLocks implements LockProvider {
  async acquire(location: string, options: LockOptions): Promise<HeldLock> {
    queues ??= new Map();
    const queue = queues.get(location);
    if (options.signal?.aborted || queue) await waitInQueue(location, queue ?? [], options);
    else queues.set(location, []);
    return once(() => passOn(location));
  }

  async join(location: string): Promise<HeldLock> {
    present ??= new Map();
    const count = (change: number) => present!.set(location, (present!.get(location) ?? 0) + change);
    count(1);
    return once(() => count(-1));
  }

  async isInUse(location: string): Promise<boolean> {
    return (present?.get(location) ?? 0) > 0;
  }
}

function once(letGo: () => void): HeldLock {
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      letGo();
    },
  };
}

function waitInQueue(location: string, queue: (() => void)[], options: LockOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const granted = () => {
      stop();
      resolve();
    };
    queue.push(granted);
    const stop = whenWaitingEnds(location, options, (reason) => {
      queue.splice(queue.indexOf(granted), 1);
      reject(reason);
    });
  });
}

function passOn(location: string): void {
  const next = queues?.get(location)?.shift();
  if (next) next();
  else queues?.delete(location);
}

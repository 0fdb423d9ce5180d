/** Who may write: one holder per database, across threads, tabs and processes. */
export interface LockProvider {
  /**
   * @param timeoutMs how long to wait for another holder
   * @param signal gives up waiting
   * @param onLost called when the lock is gone without having been released
   * @throws IsovecError LOCK_TIMEOUT, ABORTED
   */
  acquire(location: string, options: LockOptions): Promise<HeldLock>;

  /** Says that a place is in use, without keeping anybody from writing, until that is released. Left out, like the next,
   *  where whoever has a place open holds its lock. */
  join?(location: string): Promise<HeldLock>;
  /** Whether anybody has joined. */
  isInUse?(location: string): Promise<boolean>;
}

export interface LockOptions {
  timeoutMs: number;
  signal?: AbortSignal;
  /** false: NOT_FOUND when the place itself is gone, where that is known. Default true: it is made, if it must be. */
  create?: boolean;
  onLost?: (reason: Error) => void;
}

export interface HeldLock {
  /** Idempotent.
   *  @param soonAgain leaves in place what makes the next acquiring cheap (a file lock: 0.03 ms instead of 0.3); the last
   *         release of all, before closing, should not */
  release(options?: { soonAgain?: boolean }): Promise<void>;
  /** Is somebody waiting for it? Left out where that cannot be known. Takes no longer than 20 us. */
  isWanted?(): boolean;
}

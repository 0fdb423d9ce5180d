/** Who may write: one holder per database, across threads, tabs and processes. */
export interface LockProvider {
  /**
   * @param timeoutMs how long to wait for another holder
   * @param signal gives up waiting
   * @param onLost called when the lock is gone without having been released
   * @throws IsovecError LOCK_TIMEOUT, ABORTED
   */
  acquire(location: string, options: LockOptions): Promise<HeldLock>;
}

export interface LockOptions {
  timeoutMs: number;
  signal?: AbortSignal;
  onLost?: (reason: Error) => void;
}

export interface HeldLock {
  /** Idempotent.
   *  @param soonAgain leaves in place what makes the next acquiring cheap (a file lock: 0.03 ms instead of 0.3); the last
   *         release of all, before closing, should not */
  release(options?: { soonAgain?: boolean }): Promise<void>;
}

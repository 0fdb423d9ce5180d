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
  /** Idempotent. */
  release(): Promise<void>;
}

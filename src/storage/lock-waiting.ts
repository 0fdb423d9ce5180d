import { IsovecError } from '../base/errors.ts';
import type { LockOptions } from './lock.ts';

/** How waiting for a lock ends without it, in the same words for every kind of lock. */

export function lockTimedOut(location: string, timeoutMs: number, advice = ''): IsovecError {
  return new IsovecError(
    'LOCK_TIMEOUT',
    `'${location}' is open for writing elsewhere, and was not let go within ${timeoutMs} ms${advice}`,
    { details: { location, timeoutMs } },
  );
}

export function waitingAborted(location: string, signal: AbortSignal): IsovecError {
  return new IsovecError('ABORTED', `waiting for the lock of '${location}' was aborted`, {
    details: { location },
    cause: signal.reason,
  });
}

/** Timers hold 31 bits; more than that (25 days, Infinity) is no limit. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Calls `giveUp` once when waiting has taken too long or is aborted, at once if it already is.
 * @param advice what to do when it has taken too long
 * @returns stops watching
 */
export function whenWaitingEnds(
  location: string,
  { timeoutMs, signal }: LockOptions,
  giveUp: (reason: IsovecError) => void,
  advice?: string,
): () => void {
  const timer =
    timeoutMs <= TIMER_MS_MAX
      ? setTimeout(() => end(lockTimedOut(location, timeoutMs, advice)), timeoutMs)
      : undefined;
  const onAbort = () => end(waitingAborted(location, signal!));
  const stop = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
  const end = (reason: IsovecError) => {
    stop();
    giveUp(reason);
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort);
  return stop;
}

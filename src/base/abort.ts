import { IsovecError } from './errors.ts';

/** @throws IsovecError ABORTED, with the signal's reason as cause, or as it is when it is one */
export function checkNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

/**
 * As `promise`, but rejects as soon as one of the signals is aborted; what the promise does then is nobody's business.
 * @param callOff called when a signal is aborted
 */
export async function abortable<T>(
  promise: Promise<T>,
  signals: readonly AbortSignal[],
  callOff: () => void = () => {},
): Promise<T> {
  if (signals.length === 0) return promise;
  promise.catch(() => {}); // it may fail after nobody waits for it any more
  const before = signals.find((signal) => signal.aborted);
  if (before) {
    callOff();
    throw aborted(before);
  }
  let stop = () => {};
  const abortion = new Promise<never>((_, reject) => {
    const onAbort = (event: Event) => {
      callOff();
      reject(aborted(event.target as AbortSignal));
    };
    for (const signal of signals) signal.addEventListener('abort', onAbort);
    stop = () => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([promise, abortion]);
  } finally {
    stop();
  }
}

/** @param signal left out where its reason is not known here */
export function aborted({ reason }: Pick<AbortSignal, 'reason'> = { reason: undefined }): IsovecError {
  // The store's own reason says what has happened.
  if (reason instanceof IsovecError && reason.code === 'ABORTED') return reason;
  return new IsovecError('ABORTED', 'aborted by its signal', { details: { by: 'signal' }, cause: reason });
}

/** Resolves after so long, or as soon as the signal is aborted. */
export function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end);
  });
}

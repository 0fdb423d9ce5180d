import type { IsovecError } from '../base/errors.ts';
import { ioFailed, spaceExhausted, translating } from './failures.ts';

/** What OPFS and IndexedDB throw, as IsovecErrors. */

/**
 * What the browser may do the next time.
 *  - AbortError: it gave a transaction, or an operation on a file, up, and not for want of space.
 *  - UnknownError: "for an unknown transient reason (e.g. out of memory)", by the standard.
 *  - TimeoutError: a transaction waited too long for its turn.
 *  - TransactionInactiveError: it ended a transaction too early, as Safari may when a page comes back.
 *
 * Not NoModificationAllowedError: another context holds the file's handle, and has been waited for already
 * (opfs-handles.ts). Not InvalidStateError: what was opened is gone, and would have to be opened anew.
 */
const TRANSIENT_EXCEPTIONS = new Set([
  'AbortError',
  'UnknownError',
  'TimeoutError',
  'TransactionInactiveError',
]);

export function exceptionName(thrown: unknown): string | undefined {
  return thrown instanceof Error || thrown instanceof DOMException ? thrown.name : undefined;
}

/** Runs one operation of the browser's storage, and turns what it throws into an IsovecError. */
export const translated = translating((thrown, what, details) =>
  browserError(thrown, what, details, TRANSIENT_EXCEPTIONS),
);

/** As `translated`, for what must not be tried again: a handle's flush, for the reason of SYNC_CALLS in fs-errors.ts. */
export const translatedOnce = translating((thrown, what, details) =>
  browserError(thrown, what, details, new Set()),
);

function browserError(
  thrown: unknown,
  what: string,
  details: Record<string, unknown>,
  transient: ReadonlySet<string>,
): IsovecError {
  const name = exceptionName(thrown);
  if (name === undefined) return ioFailed(what, details, thrown);
  const known = { ...details, exception: name };
  if (name === 'QuotaExceededError') return spaceExhausted(what, known, thrown);
  return ioFailed(what, transient.has(name) ? { ...known, transient: true } : known, thrown);
}

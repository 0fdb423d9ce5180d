import { IsovecError } from '../base/errors.ts';
import { ioFailed, spaceExhausted } from './failures.ts';

/** What OPFS and IndexedDB throw, as IsovecErrors. */

export function exceptionName(thrown: unknown): string | undefined {
  return thrown instanceof Error || thrown instanceof DOMException ? thrown.name : undefined;
}

/** @param what the operation and what it was done to, as in "cannot <what>" */
export function browserError(thrown: unknown, what: string, details: Record<string, unknown>): IsovecError {
  if (thrown instanceof IsovecError) return thrown;
  const name = exceptionName(thrown);
  const known = name === undefined ? details : { ...details, exception: name };
  return name === 'QuotaExceededError' ? spaceExhausted(what, known, thrown) : ioFailed(what, known, thrown);
}

/** Runs one operation of the browser's storage, and turns what it throws into an IsovecError. */
export async function translated<T>(
  what: string,
  details: Record<string, unknown>,
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (thrown) {
    throw browserError(thrown, what, details);
  }
}

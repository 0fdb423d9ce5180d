import { assert, IsovecError } from '../base/errors.ts';

/** The errors that every backend raises in the same words. */

export function placeMissing(location: string): IsovecError {
  return new IsovecError('NOT_FOUND', `there is no database at '${location}'`, { details: { location } });
}

export function fileMissing(location: string, file: string): IsovecError {
  return new IsovecError('NOT_FOUND', `there is no file '${file}' in '${location}'`, {
    details: { location, file },
  });
}

export function backendClosed(location: string): IsovecError {
  return new IsovecError('CLOSED', `the storage of '${location}' has been closed`, { details: { location } });
}

export function fileClosed(location: string, file: string): IsovecError {
  return new IsovecError('CLOSED', `the file '${file}' in '${location}' has been closed`, {
    details: { location, file },
  });
}

export function writingRefused(location: string, file: string): IsovecError {
  return new IsovecError(
    'READ_ONLY',
    `'${file}' in '${location}' cannot be written: the storage was opened read-only`,
    { details: { location, file } },
  );
}

export function shortRead(
  location: string,
  file: string,
  offset: number,
  length: number,
  size: number,
): IsovecError {
  return new IsovecError(
    'CORRUPTION',
    `'${file}' in '${location}': ${length} bytes wanted at offset ${offset}, but the file ends at ${size}`,
    { details: { location, file, offset, length, size } },
  );
}

export function spaceExhausted(what: string, details: Record<string, unknown>, cause: unknown): IsovecError {
  return new IsovecError('QUOTA_EXCEEDED', `no space left to ${what}`, { details, cause });
}

export function ioFailed(what: string, details: Record<string, unknown>, cause: unknown): IsovecError {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new IsovecError('STORAGE_IO', `cannot ${what}: ${reason}`, { details, cause });
}

/** In a browser any name but none at all can be a database's. */
export function assertNamed(location: string): void {
  if (location === '')
    throw new IsovecError('INVALID_ARGUMENT', "a database's name must not be empty", {
      details: { location },
    });
}

/** Offsets and lengths come from isovec itself: a wrong one is a bug, not bad input. */
export function assertPosition(value: number, what: string): void {
  assert(Number.isSafeInteger(value) && value >= 0, `${what} must be a whole number from 0, got ${value}`);
}

/** Whether the same may succeed the next time, as the backend's own table of errors says. */
export function isTransient(thrown: unknown): boolean {
  return thrown instanceof IsovecError && thrown.details?.transient === true;
}

type Translated = <T>(
  what: string,
  details: Record<string, unknown>,
  operation: () => Promise<T>,
) => Promise<T>;

/** @returns what runs one operation, and turns what it throws into an IsovecError */
export function translating(
  errorOf: (thrown: unknown, what: string, details: Record<string, unknown>) => IsovecError,
): Translated {
  return async (what, details, operation) => {
    try {
      return await operation();
    } catch (thrown) {
      throw thrown instanceof IsovecError ? thrown : errorOf(thrown, what, details);
    }
  };
}

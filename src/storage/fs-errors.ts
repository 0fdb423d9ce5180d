import type { IsovecError } from '../base/errors.ts';
import { ioFailed, spaceExhausted, translating } from './failures.ts';

/** What node:fs throws, as IsovecErrors. */

const SPACE_CODES = new Set(['ENOSPC', 'EDQUOT']);

/**
 * What the system may do the next time: a file or a device is in use (EBUSY), too many files are open in this process
 * (EMFILE) or on this machine (ENFILE), a signal came (EINTR), the other end of a network file system was slow
 * (EAGAIN, ETIMEDOUT). Not EIO, which is a device's last word, nor a code that says that something is missing,
 * forbidden or full.
 */
const TRANSIENT_CODES = new Set(['EAGAIN', 'EBUSY', 'EMFILE', 'ENFILE', 'EINTR', 'ETIMEDOUT']);

/** On Windows they also say that a virus scanner or an indexer is looking at the file. */
const WINDOWS_TRANSIENT_CODES = new Set(['EPERM', 'EACCES']);

/**
 * After a failed sync the system may take the unwritten pages for written (Linux marks them clean), so that the next
 * sync succeeds without the data ever having reached the device. Therefore no sync is tried twice, whatever its code.
 * See Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
 */
const SYNC_CALLS = new Set(['fsync', 'fdatasync']);

export function systemErrorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}

/** @param what the operation and what it was done to, as in "cannot <what>" */
export function fsError(thrown: unknown, what: string, details: Record<string, unknown>): IsovecError {
  const code = systemErrorCode(thrown);
  if (code === undefined) return ioFailed(what, details, thrown);
  const known = { ...details, systemCode: code };
  if (SPACE_CODES.has(code)) return spaceExhausted(what, known, thrown);
  return ioFailed(what, isTransient(thrown, code) ? { ...known, transient: true } : known, thrown);
}

/** Runs one operation of the file system, and turns what it throws into an IsovecError. */
export const translated = translating(fsError);

function isTransient(thrown: unknown, code: string): boolean {
  const call = systemCall(thrown);
  // Deno names no call where a sync has failed.
  if (call === undefined || SYNC_CALLS.has(call)) return false;
  return TRANSIENT_CODES.has(code) || (process.platform === 'win32' && WINDOWS_TRANSIENT_CODES.has(code));
}

function systemCall(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'syscall' in thrown && typeof thrown.syscall === 'string'
    ? thrown.syscall
    : undefined;
}

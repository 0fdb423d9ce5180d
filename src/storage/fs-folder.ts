import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { IsovecError } from '../base/errors.ts';
import { placeMissing } from './failures.ts';
import { fsError, systemErrorCode, translated } from './fs-errors.ts';

/** What the fs backend and the file lock both do to a database's folder. */

/** Ends the name of a file that is still being written aside; after a crash it is a leftover. */
export const UNFINISHED_SUFFIX = '.new';

/** The folder in a database's folder that says who holds its lock. What is being made or removed has a longer name. */
export const LOCK_FOLDER_NAME = 'isovec.lock';

function invalidLocation(location: string, why: string, cause?: unknown): IsovecError {
  return new IsovecError('INVALID_ARGUMENT', `'${location}' cannot be the folder of a database: ${why}`, {
    details: { location },
    ...(cause !== undefined && { cause }),
  });
}

/** @throws IsovecError INVALID_ARGUMENT when something other than a folder is there */
export async function folderExists(location: string): Promise<boolean> {
  if (location === '' || location.includes('\0')) throw invalidLocation(location, 'it is no path');
  try {
    if ((await stat(location)).isDirectory()) return true;
  } catch (thrown) {
    const code = systemErrorCode(thrown);
    if (code === 'ENOENT') return false;
    if (code === 'ENOTDIR') throw invalidLocation(location, 'a part of the path is a file', thrown);
    if (code === 'ENAMETOOLONG') throw invalidLocation(location, 'the path is too long', thrown);
    throw fsError(thrown, `look at the folder '${location}'`, { location });
  }
  throw invalidLocation(location, 'a file is there');
}

/** Makes the folder if it may and must.
 *  @throws IsovecError NOT_FOUND, INVALID_ARGUMENT, STORAGE_IO */
export async function prepareFolder(location: string, create: boolean): Promise<void> {
  if (await folderExists(location)) return;
  if (!create) throw placeMissing(location);
  await translated(`make the folder '${location}'`, { location }, () => makeFolder(resolve(location)));
}

/**
 * As `mkdir` with `recursive`, which Node 20 never returns from where no folder can be made (in /proc, say), and durable.
 * @param isAgain the folder above was seen after it had been missing
 */
async function makeFolder(path: string, isAgain = false): Promise<void> {
  const parent = dirname(path);
  try {
    await mkdir(path);
  } catch (thrown) {
    const code = systemErrorCode(thrown);
    if (code === 'EEXIST' && (await folderExists(path))) return; // somebody else was faster
    if (code !== 'ENOENT' || parent === path || isAgain) throw thrown;
    // Missing, or made by somebody else since; or there is no making folders here.
    if (!(await folderExists(parent))) await makeFolder(parent);
    return makeFolder(path, true);
  }
  await syncFolder(parent);
}

/** Tries a file rather than ask `access()`, which answers for the wrong user and, on Windows, knows no rights.
 *  @throws IsovecError STORAGE_IO */
export async function assertWritable(location: string): Promise<void> {
  const probe = join(location, `write-probe${UNFINISHED_SUFFIX}`);
  await translated(`write in the folder '${location}'`, { location }, async () => {
    await (await open(probe, 'w')).close();
    await rm(probe, { force: true });
  });
}

/** Makes the names in a folder durable, where the platform can: Windows cannot open a folder, nor sync one. */
export async function syncFolder(location: string): Promise<void> {
  const handle = await open(location, 'r').catch((thrown: unknown) => tolerated(thrown));
  if (!handle) return;
  try {
    await handle.sync().catch((thrown: unknown) => tolerated(thrown));
  } finally {
    await handle.close();
  }
}

/** What is said by a platform that has no such thing as syncing a folder. */
const UNSYNCABLE_CODES = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF']);

function tolerated(thrown: unknown): undefined {
  const code = systemErrorCode(thrown);
  if (code === undefined || !UNSYNCABLE_CODES.has(code)) throw thrown;
}

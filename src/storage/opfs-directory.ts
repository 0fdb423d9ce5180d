import { IsovecError } from '../base/errors.ts';
import { exceptionName } from './browser-errors.ts';
import { assertNamed } from './failures.ts';
import { decodeFileName, ENCODED_NAME_LENGTH_MAX, percentEncode } from './file-name.ts';
import { SLOT_ENDINGS } from './opfs-slots.ts';

/** Where databases lie in an origin's OPFS: `isovec/<encoded location>/`. */
const ROOT_NAME = 'isovec';

/** How much of an over-long location is kept for people to read; its digest tells it apart. */
const READABLE_LENGTH = 100;

/** Left by a browser that was killed between `createWritable()` and `close()`. */
const SWAP_ENDING = '.crswap';

/** @throws IsovecError UNSUPPORTED where there is no OPFS: insecure pages, old browsers, private windows */
export async function rootDirectory(): Promise<FileSystemDirectoryHandle> {
  const storage = typeof navigator === 'undefined' ? undefined : navigator.storage;
  if (!storage?.getDirectory)
    throw new IsovecError('UNSUPPORTED', 'there is no OPFS here: it needs a browser, and https or localhost');
  try {
    const origin = await storage.getDirectory();
    return await origin.getDirectoryHandle(ROOT_NAME, { create: true });
  } catch (cause) {
    if (exceptionName(cause) === 'QuotaExceededError') throw cause;
    throw new IsovecError('UNSUPPORTED', 'the browser refuses OPFS here, as in some private windows', {
      cause,
    });
  }
}

/** @returns undefined when it is not there and is not to be made */
export async function placeDirectory(
  location: string,
  create: boolean,
): Promise<FileSystemDirectoryHandle | undefined> {
  const name = await placeName(location);
  const root = await rootDirectory();
  return orUndefined(root.getDirectoryHandle(name, { create }));
}

/** @throws IsovecError INVALID_ARGUMENT when the location is empty */
export async function placeName(location: string): Promise<string> {
  assertNamed(location);
  const encoded = percentEncode(location);
  if (encoded.length <= ENCODED_NAME_LENGTH_MAX) return encoded;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(location));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${encoded.slice(0, READABLE_LENGTH)}.${hex}`; // no encoded name has a dot: this one is apart from all
}

/** What a directory's entry is called by isovec, slots by their file's name; undefined for a foreign one. */
export function ownName(entry: string): string | undefined {
  const ending = SLOT_ENDINGS.find((slot) => entry.endsWith(slot));
  return decodeFileName(ending ? entry.slice(0, -ending.length) : entry);
}

export async function ownEntries(directory: FileSystemDirectoryHandle): Promise<string[]> {
  const own: string[] = [];
  for await (const [entry, handle] of directory.entries())
    if (handle.kind === 'file' && ownName(entry) !== undefined) own.push(entry);
  return own;
}

export async function listNames(directory: FileSystemDirectoryHandle): Promise<string[]> {
  const names = new Set<string>();
  for (const entry of await ownEntries(directory)) names.add(ownName(entry)!);
  return [...names];
}

export async function removeSwapFiles(directory: FileSystemDirectoryHandle): Promise<void> {
  const leftovers: string[] = [];
  for await (const entry of directory.keys()) if (entry.endsWith(SWAP_ENDING)) leftovers.push(entry);
  for (const entry of leftovers) await orUndefined(directory.removeEntry(entry));
}

/** What is asked for, or undefined when it is not there. */
export async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (thrown) {
    if (exceptionName(thrown) === 'NotFoundError') return undefined;
    throw thrown;
  }
}

import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from './fs-errors.ts';
import { LOCK_FOLDER_NAME } from './fs-folder.ts';
import { decodeOwner, encodeOwner, type Owner } from './lock-owner.ts';

/**
 * The folder behind a file lock: `isovec.lock` inside the database's folder.
 *
 * It holds one token, an empty file whose name says who has the lock: `free~<turn>`, or `held~<turn>~<folder>~<holder>`.
 * Whoever wants it renames it, which only one can do to a name, and each turn's number is one higher than the last: a name that
 * is gone never comes back. So a dead holder's token can be taken over by the same single rename, by one alone, and a
 * holder that was wrongly taken for dead finds its own name gone. The folder is made with its token in it, under
 * another name, and renamed into place, which fails where there is one that is not empty: so there is never a second.
 * A holder who lets go with nobody in line removes it in the same way, so that a database at rest holds no trace of it.
 *
 * Beside it lie the tickets of those who wait, `wait~<number>~<unique>`: the lowest goes first. They are a courtesy, and
 * keep nobody safe.
 *
 * Everything here is synchronous: on names in the kernel's memory it takes 5 to 20 us, where a thread's answer takes 40
 * and more (Node 20, Deno 2, Bun 1, ext4).
 */

export interface Token {
  name: string;
  turn: number;
  isHeld: boolean;
  /** Which folder it was taken in: see `folderMark`. */
  folderMark: string;
  /** Undefined when free, or unreadable. */
  owner: Owner | undefined;
}

export interface Look {
  /** Undefined when it was renamed during the look, or somebody emptied the folder. */
  token: Token | undefined;
  /** Lowest first. */
  tickets: string[];
}

const FREE = 'free';
const HELD = 'held';
const WAIT = 'wait';
const SEPARATOR = '~';

/** Follows the folder's name while it is not in place yet, or no longer, and is followed by what is unique. */
const ASIDE = '.aside-';
/** After so long it is what a crash left, and not somebody's at work. */
const ASIDE_OLD_MS = 60_000;

export function lockFolder(location: string): string {
  return join(location, LOCK_FOLDER_NAME);
}

/** @returns undefined when there is no such folder */
export function look(folder: string): Look | undefined {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (thrown) {
    if (GONE_CODES.has(systemErrorCode(thrown) ?? '')) return undefined;
    throw thrown;
  }
  let token: Token | undefined;
  const tickets: string[] = [];
  for (const name of names) {
    if (name.startsWith(WAIT + SEPARATOR)) tickets.push(name);
    const found = parseToken(name);
    if (found && found.turn > (token?.turn ?? -1)) token = found;
  }
  if (tickets.length > 1) tickets.sort((a, b) => ticketNumber(a) - ticketNumber(b) || (a < b ? -1 : 1));
  return { token, tickets };
}

const GONE_CODES = new Set(['ENOENT', 'ENOTDIR']);

function parseToken(name: string): Token | undefined {
  const [state, turnText, folderMark = '', ...rest] = name.split(SEPARATOR);
  const turn = Number(turnText);
  if ((state !== FREE && state !== HELD) || !Number.isSafeInteger(turn)) return undefined;
  return { name, turn, isHeld: state === HELD, folderMark, owner: decodeOwner(rest.join(SEPARATOR)) };
}

/** Tells a folder from a copy of it, whose token names a holder who has nothing to do with it.
 *  @returns undefined when there is no such folder */
export function folderMark(folder: string): string | undefined {
  return attempt(() => String(statSync(folder).ino), GONE_CODES);
}

/** Makes the folder with its token already held.
 *  @returns the token's name, or undefined when somebody else has made the folder
 *  @throws what the file system throws: ENOENT and ENOTDIR when the database's folder is not there */
export function makeLockFolder(location: string, owner: Owner): string | undefined {
  removeOldAsides(location);
  const aside = asideOf(location);
  mkdirSync(aside);
  // Not from 0, so that names do not come back with a folder that is made again.
  const name = heldName(Date.now(), folderMark(aside), owner);
  const token = join(aside, name);
  makeEmptyFile(token);
  // Windows renames onto no folder at all, other systems onto empty ones.
  if (process.platform === 'win32') attempt(() => rmdirSync(lockFolder(location)), TAKEN_CODES);
  if (attempt(() => renameSync(aside, lockFolder(location)) ?? true, TAKEN_CODES)) return name;
  rmSync(aside, { recursive: true, force: true });
  return undefined;
}

const TAKEN_CODES = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOENT']);

/** Lets the lock go by removing the folder, in one step for all others: for a holder that is sure to be it, and sees
 *  nobody in line. Who has come since will make another. */
export function removeLockFolder(location: string): void {
  const aside = asideOf(location);
  attempt(() => renameSync(lockFolder(location), aside), RACE_CODES);
  rmSync(aside, { recursive: true, force: true });
}

function asideOf(location: string): string {
  return `${lockFolder(location)}${ASIDE}${uniquePart()}`;
}

function removeOldAsides(location: string): void {
  for (const name of readdirSync(location)) {
    if (!name.startsWith(LOCK_FOLDER_NAME + ASIDE)) continue;
    const path = join(location, name);
    const since = attempt(() => statSync(path).mtimeMs, GONE_CODES) ?? Date.now();
    if (since < Date.now() - ASIDE_OLD_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** @returns the token's new name, or undefined when somebody else was faster */
export function takeToken(folder: string, token: Token, owner: Owner): string | undefined {
  const name = heldName(token.turn + 1, folderMark(folder), owner);
  return renameToken(folder, token.name, name) ? name : undefined;
}

function heldName(turn: number, mark: string | undefined, owner: Owner): string {
  return [HELD, turn, mark, encodeOwner(owner)].join(SEPARATOR);
}

/** @returns false when it was no longer held under this name */
export function freeToken(folder: string, heldName: string): boolean {
  const turn = heldName.split(SEPARATOR)[1]!;
  return renameToken(folder, heldName, [FREE, turn].join(SEPARATOR));
}

function renameToken(folder: string, from: string, to: string): boolean {
  return attempt(() => renameSync(join(folder, from), join(folder, to)) ?? true, RACE_CODES) ?? false;
}

const RACE_CODES = new Set(['ENOENT']);

/** Tells those who can only go by the time that the holder lives.
 *  @returns false when the token is no longer there */
export function renewToken(folder: string, heldName: string): boolean {
  const now = new Date();
  return attempt(() => utimesSync(join(folder, heldName), now, now) ?? true, RACE_CODES) ?? false;
}

/** @returns when the token was last renewed, or undefined when it is no longer there */
export function renewalTimeMs(folder: string, token: Token): number | undefined {
  return attempt(() => statSync(join(folder, token.name)).mtimeMs, RACE_CODES);
}

/** Stands in line, behind all whose tickets were seen. @returns the ticket */
export function addTicket(folder: string, seen: readonly string[]): string {
  const last = seen.at(-1);
  const number = last === undefined ? 1 : ticketNumber(last) + 1;
  const ticket = [WAIT, number, uniquePart()].join(SEPARATOR);
  makeEmptyFile(join(folder, ticket));
  return ticket;
}

export function removeTicket(folder: string, ticket: string): void {
  rmSync(join(folder, ticket), { force: true });
}

function ticketNumber(ticket: string): number {
  return Number(ticket.split(SEPARATOR)[1]);
}

function makeEmptyFile(path: string): void {
  closeSync(openSync(path, 'wx'));
}

function uniquePart(): string {
  return `${process.pid}-${Math.random().toString(36).slice(2)}`;
}

/** @returns undefined when it failed with one of these codes: somebody else was faster */
function attempt<T>(operation: () => T, codes: ReadonlySet<string>): T | undefined {
  try {
    return operation();
  } catch (thrown) {
    if (codes.has(systemErrorCode(thrown) ?? '')) return undefined;
    throw thrown;
  }
}

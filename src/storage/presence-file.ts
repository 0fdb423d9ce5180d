import { closeSync, openSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { systemErrorCode, translated } from './fs-errors.ts';
import type { HeldLock } from './lock.ts';
import { currentOwner, decodeOwner, encodeOwner, patienceMs } from './lock-owner.ts';

/**
 * Who has a folder's database open: an empty file for each, `isovec.open~<unique>~<owner>`. It keeps nobody from
 * writing; it only says that the files are in use, until its owner has closed or died.
 */
const PREFIX = 'isovec.open~';

/** Several times within the patience of those who cannot ask whether a process lives. */
const RENEWAL_MS = 1000;

/** Removes what the dead have left, too: a program that is killed time and again would leave more and more. */
export async function joinFolder(location: string): Promise<HeldLock> {
  await isFolderInUse(location);
  const unique = Math.random().toString(36).slice(2);
  const path = join(location, `${PREFIX}${unique}~${encodeOwner(currentOwner())}`);
  await translated(`say that '${location}' is in use`, { location }, async () =>
    closeSync(openSync(path, 'wx')),
  );
  const renewal = setInterval(() => renew(path), RENEWAL_MS);
  renewal.unref(); // a program that has nothing else to do may end
  return {
    async release() {
      clearInterval(renewal);
      rmSync(path, { force: true });
    },
  };
}

/** Does anybody have it open? Removes what the dead have left. */
export async function isFolderInUse(location: string): Promise<boolean> {
  return translated(`look who has '${location}' open`, { location }, async () => {
    let inUse = false;
    for (const name of namesIn(location)) {
      if (!name.startsWith(PREFIX)) continue;
      const owner = decodeOwner(name.slice(name.indexOf('~', PREFIX.length) + 1));
      const path = join(location, name);
      if (ageMs(path) <= patienceMs(owner)) inUse = true;
      else rmSync(path, { force: true });
    }
    return inUse;
  });
}

/** For those who can only go by the time. */
function renew(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // The next renewal may succeed; and a place that is gone is in nobody's use.
  }
}

function ageMs(path: string): number {
  try {
    return Math.max(1, Date.now() - statSync(path).mtimeMs);
  } catch {
    return Number.POSITIVE_INFINITY; // closed since it was listed
  }
}

function namesIn(location: string): string[] {
  try {
    return readdirSync(location);
  } catch (thrown) {
    if (systemErrorCode(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}

/** How a client becomes the writer: it waits in line for the lock, and opens the database when it gets it. */
import { pause } from '../base/abort.ts';
import type { Progress } from '../base/api.ts';
import type { LocalDatabase } from '../store/database.ts';
import { openLocal } from '../store/open.ts';
import type { Platform, PlatformStorage } from '../store/platform.ts';
import { createUuid } from '../store/uuid.ts';
import type { RemoteOpenOptions } from './protocol.ts';

/** Between two attempts to open what could not be opened; others get the lock meanwhile. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5000;

/** One time of having the lock. */
export interface Term {
  readonly name: string;
  /** The lock was taken away. */
  isLost: boolean;
  /** The database is closed again: this client waits in line once more. */
  end: () => void;
}

export interface TermListener {
  /** Whether the database has been open already. */
  isKnown(): boolean;
  /** In line from now on. */
  onWaiting(): void;
  /** The lock is held; now the database is opened. */
  onHeld(term: Term): void;
  onProgress(progress: Progress): void;
  /** Whoever hears this closes the database, and ends the term. */
  onOpened(term: Term, database: LocalDatabase): void;
  onLost(term: Term): void;
  /** @param failures in a row */
  onFailed(error: unknown, failures: number, term: Term): void;
}

interface Line {
  platform: Platform;
  storage: PlatformStorage;
  location: string;
  options: RemoteOpenOptions;
}

/** Resolves when this client leaves, and no term of its is left. */
export async function waitInLine(line: Line, leaving: AbortSignal, listener: TermListener): Promise<void> {
  for (let failures = 0; !leaving.aborted; ) {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const term: Term = { name: createUuid(), isLost: false, end };
    try {
      const database = await openTerm(line, leaving, listener, term);
      failures = 0;
      if (term.isLost || leaving.aborted) {
        await database.close({ leaveLog: true });
        continue;
      }
      listener.onOpened(term, database);
      await ended;
    } catch (error) {
      if (leaving.aborted) return;
      listener.onFailed(error, ++failures, term);
      await pause(Math.min(RETRY_MS_MIN * 2 ** failures, RETRY_MS_MAX), leaving);
    }
  }
}

/** With a lock that is waited for as long as it takes, and that tells when it comes and goes. */
function openTerm(
  { platform, storage, location, options }: Line,
  leaving: AbortSignal,
  listener: TermListener,
  term: Term,
): Promise<LocalDatabase> {
  const locks: PlatformStorage['locks'] = {
    acquire: async (name, waiting) => {
      listener.onWaiting();
      const held = await storage.locks!.acquire(name, {
        ...waiting,
        timeoutMs: Number.POSITIVE_INFINITY,
        onLost: (reason) => {
          term.isLost = true;
          waiting.onLost?.(reason);
          listener.onLost(term);
        },
      });
      listener.onHeld(term);
      return held;
    },
  };
  return openLocal({ ...platform, storage: async () => ({ ...storage, locks }) }, location, {
    ...options,
    // What this client has known is not made anew when it is gone: it would not be the same.
    ...(listener.isKnown() && { create: false }),
    signal: leaving,
    onProgress: (progress) => listener.onProgress(progress),
  });
}

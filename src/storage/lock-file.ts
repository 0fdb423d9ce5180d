import { clearInterval, setInterval } from 'node:timers';
import { pause } from '../base/abort.ts';
import { systemErrorCode, translated } from './fs-errors.ts';
import { prepareFolder } from './fs-folder.ts';
import type { HeldLock, LockOptions, LockProvider } from './lock.ts';
import {
  addTicket,
  folderMark,
  freeToken,
  lockFolder,
  look,
  makeLockFolder,
  removeLockFolder,
  removeTicket,
  renewalTimeMs,
  renewToken,
  type Token,
  takeToken,
} from './lock-folder.ts';
import { currentOwner, patienceMs, STALE_MS } from './lock-owner.ts';
import { lockTimedOut, waitingAborted } from './lock-waiting.ts';
import { isFolderInUse, joinFolder } from './presence-file.ts';

/** How often a holder renews its token for those who can only go by the time: several times within their patience. */
const RENEWAL_MS = 1000;

/** The next in line looks as often as timers allow, those behind it in proportion; */
const LOOK_MS_MIN = 1;
/** and all more rarely the longer one holder has it, up to the longest that a freed lock may go unnoticed. */
const LOOK_MS_MAX = 20;
const LOOKS_PER_HOLDING = 8;

/** How long a free lock is left to the first in line, who may be dead. */
const FIRST_CLAIM_MS = 50;

/** Whether a holder lives is asked when it has held for so long, and as often: it takes 50 us. */
const LIFE_CHECK_MS = 20;

const NO_FOLDER_CODES = new Set(['ENOENT', 'ENOTDIR']);

/**
 * A folder inside the database's folder stands for the lock, among all threads and processes, on Node, Deno and Bun, and
 * in the order in which they ask: see lock-folder.ts. What a dead holder held passes on as soon as it is known to be
 * dead: see lock-owner.ts.
 */
export class FileLocks implements LockProvider {
  /** Makes the database's folder when it is not there, and it may.
   *  @throws IsovecError NOT_FOUND, INVALID_ARGUMENT and STORAGE_IO for the folder, besides what every lock throws */
  async acquire(location: string, options: LockOptions): Promise<HeldLock> {
    return translated(`lock the folder '${location}'`, { location }, () =>
      new Acquisition(location, options).run(),
    );
  }

  join(location: string): Promise<HeldLock> {
    return joinFolder(location);
  }

  isInUse(location: string): Promise<boolean> {
    return isFolderInUse(location);
  }
}

/** One wait for one lock. */
class Acquisition {
  readonly #location: string;
  readonly #folder: string;
  readonly #options: LockOptions;
  #ticket: string | undefined;
  /** How many are before it in line. */
  #ahead = 0;
  /** The token as it was first seen under its present name, and since when. */
  #seenName = '';
  #seenSinceMs = 0;
  #renewedAtMs: number | undefined;
  #renewalSeenMs = 0;
  #lifeCheckedMs = 0;

  constructor(location: string, options: LockOptions) {
    this.#location = location;
    this.#folder = lockFolder(location);
    this.#options = options;
  }

  async run(): Promise<HeldLock> {
    const { timeoutMs, signal, onLost } = this.#options;
    const deadline = performance.now() + timeoutMs;
    try {
      for (;;) {
        if (signal?.aborted) throw waitingAborted(this.#location, signal);
        const leftMs = deadline - performance.now();
        const name = await this.#attempt(leftMs <= 0);
        if (name !== undefined) return new HeldFileLock(this.#location, name, onLost);
        if (leftMs <= 0) throw lockTimedOut(this.#location, timeoutMs);
        await pause(Math.min(leftMs, this.#untilNextLookMs()), signal);
      }
    } finally {
      if (this.#ticket !== undefined) removeTicket(this.#folder, this.#ticket);
    }
  }

  /** @returns the token's name when the lock is now held */
  async #attempt(isLastTime: boolean): Promise<string | undefined> {
    const { token, tickets = [] } = look(this.#folder) ?? {};
    if (!token) return this.#make();
    this.#note(token.name);
    const name = token.isHeld
      ? this.#takeFromDead(token, isLastTime)
      : this.#takeInTurn(token, tickets, isLastTime);
    if (name === undefined && !isLastTime) this.#standInLine(tickets);
    return name;
  }

  async #make(): Promise<string | undefined> {
    const make = () => makeLockFolder(this.#location, currentOwner());
    try {
      return make();
    } catch (thrown) {
      if (!NO_FOLDER_CODES.has(systemErrorCode(thrown) ?? '')) throw thrown;
      await prepareFolder(this.#location, this.#options.create ?? true);
      return make();
    }
  }

  #note(name: string): void {
    if (name === this.#seenName) return;
    this.#seenName = name;
    this.#seenSinceMs = performance.now();
    this.#renewedAtMs = undefined;
    this.#lifeCheckedMs = this.#seenSinceMs;
  }

  #takeFromDead(token: Token, isLastTime: boolean): string | undefined {
    return this.#isAbandoned(token, isLastTime) ? takeToken(this.#folder, token, currentOwner()) : undefined;
  }

  /** @param isLastTime takes it even when others are before it in line */
  #takeInTurn(token: Token, tickets: readonly string[], isLastTime: boolean): string | undefined {
    const [first] = tickets;
    const isMyTurn = first === undefined || first === this.#ticket;
    const isUnclaimed = performance.now() - this.#seenSinceMs >= FIRST_CLAIM_MS;
    if (!isMyTurn && !isUnclaimed && !isLastTime) return undefined;
    const name = takeToken(this.#folder, token, currentOwner());
    // Not taken in time: its owner is dead, or will stand in line again.
    if (name !== undefined && !isMyTurn && isUnclaimed) removeTicket(this.#folder, first);
    return name;
  }

  #isAbandoned(token: Token, isLastTime: boolean): boolean {
    const now = performance.now();
    if (!isLastTime && now - this.#lifeCheckedMs < LIFE_CHECK_MS) return false;
    this.#lifeCheckedMs = now;
    const isOfThisFolder = token.folderMark === folderMark(this.#folder);
    const patience = patienceMs(isOfThisFolder ? token.owner : undefined);
    if (patience === 0) return true;
    // By this machine's own clock, not by the age of the file: clocks differ between machines.
    const renewedAtMs = renewalTimeMs(this.#folder, token);
    if (this.#renewedAtMs !== renewedAtMs) {
      this.#renewedAtMs = renewedAtMs;
      this.#renewalSeenMs = now;
    }
    return renewedAtMs !== undefined && now - this.#renewalSeenMs >= patience;
  }

  #standInLine(tickets: readonly string[]): void {
    const place = this.#ticket === undefined ? -1 : tickets.indexOf(this.#ticket);
    this.#ahead = place < 0 ? tickets.length : place;
    if (place >= 0) return;
    try {
      this.#ticket = addTicket(this.#folder, tickets);
    } catch {
      this.#ticket = undefined; // a full disk, say: whoever has no ticket waits a little longer
    }
  }

  #untilNextLookMs(): number {
    const holdingMs = performance.now() - this.#seenSinceMs;
    return Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN * (this.#ahead + 1), holdingMs / LOOKS_PER_HOLDING));
  }
}

class HeldFileLock implements HeldLock {
  readonly #location: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #onLost: ((reason: Error) => void) | undefined;
  readonly #renewal: NodeJS.Timeout;
  #isHeld = true;
  #renewedAtMs = performance.now();

  constructor(location: string, name: string, onLost: ((reason: Error) => void) | undefined) {
    this.#location = location;
    this.#folder = lockFolder(location);
    this.#name = name;
    this.#onLost = onLost;
    this.#renewal = setInterval(() => this.#renew(), RENEWAL_MS);
    this.#renewal.unref(); // a program that has nothing else to do may end
  }

  async release({ soonAgain = false } = {}): Promise<void> {
    if (!this.#isHeld) return;
    this.#end();
    const location = this.#location;
    await translated(`unlock the folder '${location}'`, { location }, async () => {
      if (!soonAgain && this.#isAlone()) removeLockFolder(location);
      else freeToken(this.#folder, this.#name);
    });
  }

  isWanted(): boolean {
    try {
      return (look(this.#folder)?.tickets.length ?? 0) > 0;
    } catch {
      return false;
    }
  }

  /** Certainly still the holder, with nobody in line. */
  #isAlone(): boolean {
    if (performance.now() - this.#renewedAtMs > STALE_MS / 2) return false; // somebody may be about to take it over
    const found = look(this.#folder);
    return found?.token?.name === this.#name && found.tickets.length === 0;
  }

  #renew(): void {
    try {
      const renewedAtMs = performance.now();
      if (renewToken(this.#folder, this.#name)) {
        this.#renewedAtMs = renewedAtMs;
        return;
      }
    } catch {
      return; // the next renewal may succeed
    }
    this.#end();
    this.#onLost?.(new Error(`somebody else took it over, or removed '${this.#folder}'`));
  }

  #end(): void {
    this.#isHeld = false;
    clearInterval(this.#renewal);
  }
}

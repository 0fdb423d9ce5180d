/**
 * One client of a database that tabs share: carries out its page's calls, here while it holds the lock, else by asking
 * whoever does. It waits in line for the lock all the time, so that the database has a writer while anybody has it
 * open. What a writer has not answered when it goes is asked of the next one, under the same operation id.
 */
import { aborted } from '../base/abort.ts';
import { errorCodeOf, errorToImage, IsovecError } from '../base/errors.ts';
import type { LocalDatabase } from '../store/database.ts';
import { LOCK_TIMEOUT_DEFAULT_MS } from '../store/open-options.ts';
import type { Platform, PlatformStorage } from '../store/platform.ts';
import { RECEIPTS_PER_CLIENT_MAX } from '../store/receipts.ts';
import type { Answer, Call, EventMessage, RemoteOpenOptions } from './protocol.ts';
import { CallServer, isCutShort } from './server.ts';
import { type PendingCall, PendingCalls } from './tab-calls.ts';
import { Patience, silent } from './tab-patience.ts';
import {
  type ClientMessage,
  clientName,
  type DatabaseMessage,
  type TabChannel,
  type TabsPlatform,
} from './tab-protocol.ts';
import { type Term, waitInLine } from './tab-term.ts';
import { TabWriter } from './tab-writer.ts';

/** A writer that cannot open the database leaves it to the next in line; after so many attempts here, calls are told. */
const FAILURES_MAX = 3;

/** A lock that nobody holds, and a sign of life, take a moment: many times what was measured. */
const SIGN_MS_MIN = 50;

export interface TabRouterParts {
  tabs: TabsPlatform;
  platform: Platform;
  /** Where the database is, chosen already. */
  storage: PlatformStorage;
  location: string;
  options: RemoteOpenOptions;
  tell: (message: EventMessage) => void;
}

interface Writing {
  term: Term;
  database: LocalDatabase;
  server: CallServer;
  others: TabWriter;
}

/** Between arriving and leaving. */
interface Presence {
  /** Aborted when this client leaves. */
  leaving: AbortController;
  /** Settles when this client does not wait for the lock any more. */
  line: Promise<void>;
  database: TabChannel<DatabaseMessage>;
  own: TabChannel<ClientMessage>;
  /** Others notice by this that the client is gone. */
  releaseClient: () => void;
}

export class TabRouter {
  readonly #parts: TabRouterParts;
  readonly #client = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  readonly #calls = new PendingCalls();
  /** Ids of calls that another tab has been asked. */
  readonly #inFlight = new Set<number>();
  #presence: Presence | undefined;
  #writing: Writing | undefined;
  #remote: { term: string; isJoined: boolean } | undefined;
  /** The lock is held, and the database is being opened. */
  #loadingTerm: string | undefined;
  #role: 'writer' | 'follower' | undefined;
  /** Coming and going, one after the other. */
  #transition: Promise<unknown> = Promise.resolve();
  #opening: { sinceMs?: number; resolve: () => void; reject: (reason: unknown) => void } | undefined;
  readonly #patience = new Patience({
    isWaiting: () => !this.#writing && (this.#opening !== undefined || this.#calls.size > 0),
    probe: () => {
      if (this.#loadingTerm !== undefined) this.#patience.renew();
      this.#post({ type: 'seek' });
    },
    check: (silentMs) => this.#giveUp(silentMs),
  });

  constructor(parts: TabRouterParts) {
    this.#parts = parts;
  }

  /** Resolves when this client is the writer, or knows one. @throws as opening does; LOCK_TIMEOUT */
  async open(signal: AbortSignal): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    const onAbort = () => this.#opening?.reject(aborted(signal));
    signal.addEventListener('abort', onAbort);
    this.resume().catch((error) => this.#opening?.reject(error));
    try {
      if (signal.aborted) onAbort();
      await opened;
    } catch (error) {
      await this.suspend();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#opening = undefined;
    }
  }

  call(id: number, call: Call): Promise<Answer<unknown>> {
    const answer = this.#calls.add(id, call);
    this.#pump();
    this.#watch();
    return answer;
  }

  abort(id: number): void {
    const pending = this.#calls.find(id);
    if (pending) {
      pending.isAborted = true;
      if (pending.sentTo === undefined) this.#settleAborted(pending);
    }
    // A transaction, too, which is not pending between its calls.
    if (this.#writing) this.#writing.server.abort(id);
    else this.#presence?.own.post({ type: 'abort', id });
  }

  /** Lets others write, and takes no part until `resume`: this page may stop at any moment. Calls wait. */
  suspend(): Promise<void> {
    return this.#then(() => this.#leave(true));
  }

  resume(): Promise<void> {
    return this.#then(() => this.#arrive());
  }

  async close(): Promise<void> {
    await this.#calls.settled();
    // With nobody to take over, the log is taken in, so that the next opening need not.
    await this.#then(() => this.#leave((this.#writing?.others.clientCount ?? 0) > 0));
  }

  #then(step: () => Promise<void>): Promise<void> {
    const done = this.#transition.then(step);
    this.#transition = done.catch(() => {});
    return done;
  }

  async #arrive(): Promise<void> {
    if (this.#presence) return;
    const { tabs, storage, location } = this.#parts;
    const name = clientName(this.#client);
    const releaseClient = await tabs.holdLock(name);
    const leaving = new AbortController();
    this.#presence = {
      leaving,
      line: Promise.resolve(),
      database: tabs.openChannel(`isovec:${storage.provider.kind}:${location}`, (message) =>
        this.#hear(message),
      ),
      own: tabs.openChannel(name, (message) => this.#hearAnswer(message)),
      releaseClient,
    };
    this.#patience.renew();
    this.#post({ type: 'seek' });
    this.#presence.line = this.#waitInLine(leaving.signal);
    this.#watch();
  }

  async #leave(leaveLog: boolean): Promise<void> {
    const presence = this.#presence;
    if (!presence) return;
    presence.leaving.abort();
    try {
      await this.#handOver(leaveLog);
      await presence.line;
    } finally {
      presence.own.post({ type: 'leave' });
      presence.own.close();
      presence.database.close();
      presence.releaseClient();
      this.#presence = undefined;
      this.#remote = undefined;
      this.#patience.stop();
    }
  }

  async #handOver(leaveLog: boolean): Promise<void> {
    const writing = this.#writing;
    if (!writing) return;
    this.#writing = undefined;
    this.#post({ type: 'gone', term: writing.term.name });
    writing.server.end();
    try {
      await writing.others.end();
      await writing.database.close({ leaveLog });
    } finally {
      writing.term.end();
    }
  }

  #waitInLine(leaving: AbortSignal): Promise<void> {
    return waitInLine(this.#parts, leaving, {
      isKnown: () => this.#role !== undefined,
      onWaiting: () => {
        if (this.#opening) this.#opening.sinceMs ??= performance.now();
      },
      onHeld: (term) => {
        this.#remote = undefined;
        this.#loadingTerm = term.name;
        this.#announce();
      },
      onProgress: (payload) => this.#spread({ event: 'progress', payload }),
      onOpened: (term, database) => this.#lead(term, database),
      onLost: (term) => this.#lose(term),
      onFailed: (error, failures, term) => {
        this.#loadingTerm = undefined;
        this.#post({ type: 'gone', term: term.name });
        this.#tellFailure(error, failures);
      },
    });
  }

  #lead(term: Term, database: LocalDatabase): void {
    this.#loadingTerm = undefined;
    const { tabs, options } = this.#parts;
    const others = new TabWriter(tabs, database, term.name, options.durability);
    this.#writing = { term, database, server: new CallServer(database), others };
    for (const event of ['commit', 'warning', 'queue'] as const)
      database.on(event, (payload) => this.#spread({ event, payload } as EventMessage));
    this.#announce();
    this.#begin('writer');
  }

  /** Somebody took the lock: not another byte is written. What is under way here is asked of whoever writes now. */
  #lose(term: Term): void {
    term.isLost = true;
    const writing = this.#writing;
    if (writing?.term !== term) return;
    this.#writing = undefined;
    writing.others.abandon();
    writing.database
      .close({ leaveLog: true })
      .catch(() => {})
      .finally(term.end);
  }

  #begin(role: 'writer' | 'follower'): void {
    if (this.#role !== role) this.#parts.tell({ event: 'role', payload: { role } });
    this.#role = role;
    this.#opening?.resolve();
    this.#inFlight.clear();
    this.#calls.resendAll();
    this.#pump();
  }

  #pump(): void {
    while (this.#writing || (this.#remote?.isJoined && this.#inFlight.size < RECEIPTS_PER_CLIENT_MAX)) {
      const pending = this.#calls.takeUnsent();
      if (!pending) return;
      if (pending.isAborted && !pending.operation) this.#settleAborted(pending);
      else if (this.#writing) this.#answer(pending, this.#writing);
      else this.#ask(pending, this.#remote!.term);
    }
  }

  async #answer(pending: PendingCall, { term, server }: Writing): Promise<void> {
    pending.sentTo = term.name;
    const operation = this.#calls.operationOf(pending);
    const answer = await server.answer(
      pending.id,
      pending.call,
      operation && { ...operation, client: this.#client },
    );
    const isOver = this.#writing?.term !== term;
    // What was cut short by the end of this writer is for the next one.
    if (isOver && (term.isLost ? !answer.ok : isCutShort(pending.call, answer))) return;
    if (pending.sentTo === term.name) this.#calls.settle(pending, answer);
  }

  #ask(pending: PendingCall, term: string): void {
    const { id, call } = pending;
    pending.sentTo = term;
    this.#inFlight.add(id);
    const expiresAt = Date.now() + this.#timeoutMs;
    const operation = this.#calls.operationOf(pending);
    this.#presence?.own.post({ type: 'call', term, id, call, operation, expiresAt });
  }

  #hear(message: DatabaseMessage): void {
    if (message.type === 'seek') {
      this.#announce();
      return;
    }
    if (message.type === 'join') {
      if (message.term === this.#writing?.term.name)
        this.#writing.others.join(message.client, message.durability);
      return;
    }
    if (this.#writing) return;
    this.#patience.renew();
    switch (message.type) {
      case 'writer':
        this.#follow(message.term, message.isReady);
        break;
      case 'gone':
        if (this.#remote?.term === message.term) this.#remote = undefined;
        break;
      case 'event':
        this.#parts.tell(message.message);
    }
  }

  #hearAnswer(message: ClientMessage): void {
    if (!('term' in message) || message.type === 'call') return;
    this.#patience.renew();
    if (message.type === 'joined') {
      const remote = this.#remote;
      if (remote?.term !== message.term || remote.isJoined) return;
      remote.isJoined = true;
      this.#begin('follower');
      return;
    }
    const pending = this.#calls.find(message.id);
    if (pending?.sentTo !== message.term) return;
    this.#inFlight.delete(message.id);
    if (message.type === 'answer') this.#calls.settle(pending, message.answer);
    else this.#calls.resend(pending);
    this.#pump();
  }

  #follow(term: string, isReady: boolean): void {
    if (this.#remote?.term !== term) this.#remote = { term, isJoined: false };
    if (!isReady || this.#remote.isJoined) return;
    const { durability } = this.#parts.options;
    this.#post({ type: 'join', term, client: this.#client, durability });
  }

  #announce(): void {
    const term = this.#writing?.term.name ?? this.#loadingTerm;
    if (term !== undefined) this.#post({ type: 'writer', term, isReady: this.#writing !== undefined });
  }

  /** Tells this tab, and all others. */
  #spread(message: EventMessage): void {
    this.#parts.tell(message);
    if (this.#writing?.others.clientCount) this.#post({ type: 'event', message });
  }

  #post(message: DatabaseMessage): void {
    this.#presence?.database.post(message);
  }

  get #openingTimeoutMs(): number {
    return Math.max(this.#parts.options.lockTimeout ?? LOCK_TIMEOUT_DEFAULT_MS, SIGN_MS_MIN);
  }

  /** For an answer of a writer that was there once: it may be busy. */
  get #timeoutMs(): number {
    return Math.max(this.#openingTimeoutMs, LOCK_TIMEOUT_DEFAULT_MS);
  }

  #watch(): void {
    if (!this.#presence) return;
    this.#patience.watch(this.#opening ? this.#openingTimeoutMs : this.#timeoutMs);
  }

  #giveUp(silentMs: (sinceMs: number) => number): void {
    const { location } = this.#parts;
    const { sinceMs } = this.#opening ?? {};
    if (sinceMs !== undefined && silentMs(sinceMs) > this.#openingTimeoutMs)
      this.#opening?.reject(silent(location, this.#openingTimeoutMs));
    for (const pending of this.#calls) {
      if (silentMs(pending.sinceMs) <= this.#timeoutMs) continue;
      this.#inFlight.delete(pending.id);
      this.#calls.settle(pending, failed(silent(location, this.#timeoutMs)));
    }
  }

  #settleAborted(pending: PendingCall): void {
    this.#calls.settle(pending, failed(new IsovecError('ABORTED', 'aborted by its signal')));
  }

  /** The database could not be opened here. The lock has been let go, so others may try. */
  #tellFailure(error: unknown, failures: number): void {
    if (this.#opening) {
      this.#opening.reject(error);
      return;
    }
    const message = `this tab could not take over from the one that wrote, and will try again: ${error}`;
    this.#parts.tell({ event: 'warning', payload: { code: errorCodeOf(error), message } });
    if (failures >= FAILURES_MAX)
      for (const pending of this.#calls) this.#calls.settle(pending, failed(error));
  }
}

function failed(error: unknown): Answer<never> {
  return { ok: false, error: errorToImage(error) };
}

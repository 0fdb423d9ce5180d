/**
 * One client of a database that tabs share: its page's calls are carried out here while this client serves, else by the
 * writer, which is asked. What a writer has not answered when it goes is asked of the next one, under the same
 * operation id.
 */
import { aborted } from '../base/abort.ts';
import { type Awaitable, whenThere } from '../base/awaitable.ts';
import type { ErrorCode } from '../base/errors.ts';
import { LOCK_TIMEOUT_DEFAULT_MS } from '../store/open-options.ts';
import type { Platform, PlatformStorage } from '../store/platform.ts';
import { RECEIPTS_PER_CLIENT_MAX } from '../store/receipts.ts';
import type { Answer, Call, EventMessage, RemoteOpenOptions } from './protocol.ts';
import { failed } from './server.ts';
import { type PendingCall, PendingCalls } from './tab-calls.ts';
import { Patience, PROBE_MS, silent } from './tab-patience.ts';
import {
  type ClientMessage,
  clientName,
  type DatabaseMessage,
  type TabChannel,
  type TabsPlatform,
} from './tab-protocol.ts';
import type { LocalSide, Routing, Serving } from './tab-side.ts';

/** A lock that nobody holds, and a sign of life, take a moment: many times what was measured. */
const SIGN_MS_MIN = 50;

/** Two signs of life that did not come. */
const GO_ON_ALONE_MS = 2 * PROBE_MS;

export interface TabRouterParts {
  tabs: TabsPlatform;
  platform: Platform;
  /** Where the database is, chosen already. */
  storage: PlatformStorage;
  location: string;
  options: RemoteOpenOptions;
  tell: (message: EventMessage) => void;
}

/** Between arriving and leaving. */
interface Presence {
  /** Aborted when this client leaves. */
  leaving: AbortController;
  /** Settles when the local side takes no part any more. */
  part: Promise<void>;
  database: TabChannel<DatabaseMessage>;
  own: TabChannel<ClientMessage>;
  /** Others notice by this that the client is gone. */
  releaseClient: () => void;
}

export class TabRouter implements Routing {
  readonly #parts: TabRouterParts;
  readonly #side: LocalSide;
  readonly #client = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  readonly #calls = new PendingCalls();
  /** Ids of calls that another tab has been asked. */
  readonly #inFlight = new Set<number>();
  #presence: Presence | undefined;
  #remote: { term: string; isJoined: boolean } | undefined;
  #role: 'writer' | 'follower' | undefined;
  /** Coming and going, one after the other. */
  #transition: Promise<unknown> = Promise.resolve();
  #opening: { sinceMs?: number; resolve: () => void; reject: (reason: unknown) => void } | undefined;
  readonly #patience = new Patience({
    isWaiting: () => !this.#side.serving && this.isAwaited,
    probe: () => {
      if (this.#side.isLoading) this.#patience.renew();
      this.post({ type: 'seek' });
    },
    check: (silentMs) => this.#giveUp(silentMs),
  });

  /** @param createSide what this client is to do by itself */
  constructor(parts: TabRouterParts, createSide: (parts: TabRouterParts, routing: Routing) => LocalSide) {
    this.#parts = parts;
    this.#side = createSide(parts, this);
  }

  /** Resolves when this client serves, or knows a writer. @throws as opening does; LOCK_TIMEOUT */
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

  /** At once, where it is carried out here and waits for nothing. */
  call(id: number, call: Call): Awaitable<Answer<unknown>> {
    let admitted = call;
    try {
      if (this.#side.admit) admitted = this.#side.admit(call);
    } catch (error) {
      return failed(error);
    }
    const pending = this.#calls.add(id, admitted);
    this.#pump();
    if (pending.answer) return pending.answer;
    this.#side.wake?.();
    this.#watch();
    return new Promise((resolve) => {
      pending.onAnswer = resolve;
    });
  }

  abort(id: number): void {
    const pending = this.#calls.find(id);
    if (pending) {
      pending.isAborted = true;
      if (pending.sentTo === undefined) this.#settleAborted(pending);
    }
    // A transaction, too, which is not pending between its calls.
    if (this.#side.serving) this.#side.serving.abort(id);
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
    await this.#then(() => this.#leave(this.#side.clientCount > 0));
  }

  get isKnown(): boolean {
    return this.#role !== undefined;
  }

  get isAwaited(): boolean {
    return this.#opening !== undefined || this.#calls.size > 0;
  }

  startWaiting(): void {
    if (this.#opening) this.#opening.sinceMs ??= performance.now();
  }

  forgetWriter(): void {
    this.#remote = undefined;
  }

  begin(role: 'writer' | 'follower'): void {
    // Whoever only reads is neither.
    if (this.#role !== role && !this.#parts.options.readOnly) this.tell({ event: 'role', payload: { role } });
    this.#role = role;
    this.#opening?.resolve();
    this.#inFlight.clear();
    this.#calls.resendAll();
    this.#pump();
  }

  post(message: DatabaseMessage): void {
    this.#presence?.database.post(message);
  }

  tell(message: EventMessage): void {
    this.#parts.tell(message);
  }

  warn(code: ErrorCode, message: string): void {
    this.tell({ event: 'warning', payload: { code, message } });
  }

  failOpening(error: unknown): boolean {
    this.#opening?.reject(error);
    return this.#opening !== undefined;
  }

  failCalls(error: unknown): void {
    for (const pending of this.#calls) this.#calls.settle(pending, failed(error));
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
      part: Promise.resolve(),
      database: tabs.openChannel(`isovec:${storage.provider.kind}:${location}`, (message) =>
        this.#hear(message),
      ),
      own: tabs.openChannel(name, (message) => this.#hearAnswer(message)),
      releaseClient,
    };
    this.#patience.renew();
    this.post({ type: 'seek' });
    this.#presence.part = this.#side.takePart(leaving.signal);
    this.#watch();
  }

  async #leave(leaveLog: boolean): Promise<void> {
    const presence = this.#presence;
    if (!presence) return;
    presence.leaving.abort();
    try {
      await this.#side.end(leaveLog);
      await presence.part;
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

  #pump(): void {
    for (;;) {
      const { serving } = this.#side;
      const isAskable = this.#remote?.isJoined && this.#inFlight.size < RECEIPTS_PER_CLIENT_MAX;
      const pending = serving || isAskable ? this.#calls.takeUnsent() : undefined;
      if (!pending) return;
      if (pending.isAborted && !pending.operation) this.#settleAborted(pending);
      else if (serving) this.#answer(pending, serving);
      else this.#ask(pending, this.#remote!.term);
    }
  }

  #answer(pending: PendingCall, serving: Serving): void {
    const { term } = serving;
    pending.sentTo = term;
    const operation = this.#calls.operationOf(pending);
    const settle = (answer: Answer<unknown> | undefined) => {
      if (answer && pending.sentTo === term) this.#calls.settle(pending, answer);
    };
    const { id, call } = pending;
    void whenThere(serving.answer(id, call, operation && { ...operation, client: this.#client }), settle);
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
    this.#side.hear(message);
    if (this.#side.serving || message.type === 'seek' || message.type === 'join') return;
    this.#patience.renew();
    switch (message.type) {
      case 'writer':
        this.#follow(message.term, message.isReady);
        break;
      case 'gone':
        if (this.#remote?.term === message.term) this.#remote = undefined;
        break;
      case 'event':
        this.tell(message.message);
    }
  }

  #hearAnswer(message: ClientMessage): void {
    if (!('term' in message) || message.type === 'call') return;
    this.#patience.renew();
    if (message.type === 'joined') {
      const remote = this.#remote;
      if (remote?.term !== message.term || remote.isJoined) return;
      remote.isJoined = true;
      this.begin('follower');
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
    this.post({ type: 'join', term, client: this.#client, durability });
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
    if (this.#side.goOnAlone) {
      const waiting = [sinceMs, ...[...this.#calls].map((pending) => pending.sinceMs)];
      if (waiting.some((since) => since !== undefined && silentMs(since) > GO_ON_ALONE_MS))
        this.#side.goOnAlone();
      return;
    }
    if (sinceMs !== undefined && silentMs(sinceMs) > this.#openingTimeoutMs)
      this.#opening?.reject(silent(location, this.#openingTimeoutMs));
    for (const pending of this.#calls) {
      if (silentMs(pending.sinceMs) <= this.#timeoutMs) continue;
      this.#inFlight.delete(pending.id);
      this.#calls.settle(pending, failed(silent(location, this.#timeoutMs)));
    }
  }

  #settleAborted(pending: PendingCall): void {
    this.#calls.settle(pending, failed(aborted()));
  }
}

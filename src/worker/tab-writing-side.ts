/**
 * A client that may write: it waits in line for the lock all the time, so that the database has a writer while anybody
 * has it open, and while it holds the lock it carries out the calls of all.
 */
import { whenThere } from '../base/awaitable.ts';
import { errorCodeOf } from '../base/errors.ts';
import type { LocalDatabase } from '../store/database.ts';
import type { EventMessage } from './protocol.ts';
import { CallServer, isCutShort } from './server.ts';
import type { DatabaseMessage } from './tab-protocol.ts';
import type { TabRouterParts } from './tab-router.ts';
import type { LocalSide, Routing, Serving } from './tab-side.ts';
import { type Term, waitInLine } from './tab-term.ts';
import { TabWriter } from './tab-writer.ts';

/** A writer that cannot open the database leaves it to the next in line; after so many attempts here, calls are told. */
const FAILURES_MAX = 3;

interface Writing extends Serving {
  held: Term;
  database: LocalDatabase;
  server: CallServer;
  others: TabWriter;
}

export class WritingSide implements LocalSide {
  readonly #parts: TabRouterParts;
  readonly #routing: Routing;
  #writing: Writing | undefined;
  /** The lock is held, and the database is being opened. */
  #loadingTerm: string | undefined;

  constructor(parts: TabRouterParts, routing: Routing) {
    this.#parts = parts;
    this.#routing = routing;
  }

  get serving(): Serving | undefined {
    return this.#writing;
  }

  get isLoading(): boolean {
    return this.#loadingTerm !== undefined;
  }

  get clientCount(): number {
    return this.#writing?.others.clientCount ?? 0;
  }

  takePart(leaving: AbortSignal): Promise<void> {
    const routing = this.#routing;
    return waitInLine(this.#parts, leaving, {
      isKnown: () => routing.isKnown,
      onWaiting: () => routing.startWaiting(),
      onHeld: (term) => {
        routing.forgetWriter();
        this.#loadingTerm = term.name;
        this.#announce();
      },
      onProgress: (payload) => this.#spread({ event: 'progress', payload }),
      onOpened: (term, database) => this.#lead(term, database),
      onLost: (term) => this.#lose(term),
      onFailed: (error, failures, term) => {
        this.#loadingTerm = undefined;
        routing.post({ type: 'gone', term: term.name });
        this.#tellFailure(error, failures);
      },
    });
  }

  async end(leaveLog: boolean): Promise<void> {
    const writing = this.#writing;
    if (!writing) return;
    this.#writing = undefined;
    this.#routing.post({ type: 'gone', term: writing.term });
    writing.server.end();
    try {
      await writing.others.end();
      await writing.database.close({ leaveLog });
    } finally {
      writing.held.end();
    }
  }

  hear(message: DatabaseMessage): void {
    if (message.type === 'seek') this.#announce();
    else if (message.type === 'join' && message.term === this.#writing?.term)
      this.#writing.others.join(message.client, message.durability);
  }

  #lead(held: Term, database: LocalDatabase): void {
    this.#loadingTerm = undefined;
    const { tabs, options } = this.#parts;
    const server = new CallServer(database);
    const writing: Writing = {
      held,
      database,
      server,
      others: new TabWriter(tabs, database, held.name, options.durability),
      term: held.name,
      answer: (id, call, operation) =>
        whenThere(server.answer(id, call, operation), (answer) => {
          const isOver = this.#writing !== writing;
          // What was cut short by the end of this writer is for the next one.
          return isOver && (held.isLost ? !answer.ok : isCutShort(call, answer)) ? undefined : answer;
        }),
      abort: (id) => server.abort(id),
    };
    this.#writing = writing;
    for (const event of ['commit', 'warning', 'queue'] as const)
      database.on(event, (payload) => this.#spread({ event, payload } as EventMessage));
    this.#announce();
    this.#routing.begin('writer');
  }

  /** Somebody took the lock: not another byte is written. What is under way here is asked of whoever writes now. */
  #lose(term: Term): void {
    term.isLost = true;
    const writing = this.#writing;
    if (writing?.held !== term) return;
    this.#writing = undefined;
    writing.others.abandon();
    writing.database
      .close({ leaveLog: true })
      .catch(() => {})
      .finally(term.end);
  }

  #announce(): void {
    const term = this.#writing?.term ?? this.#loadingTerm;
    if (term !== undefined)
      this.#routing.post({ type: 'writer', term, isReady: this.#writing !== undefined });
  }

  /** Tells this tab, and all others. */
  #spread(message: EventMessage): void {
    this.#routing.tell(message);
    if (this.clientCount > 0) this.#routing.post({ type: 'event', message });
  }

  /** The database could not be opened here. The lock has been let go, so others may try. */
  #tellFailure(error: unknown, failures: number): void {
    const routing = this.#routing;
    if (routing.failOpening(error)) return;
    routing.warn(
      errorCodeOf(error),
      `this tab could not take over from the one that wrote, and will try again: ${error}`,
    );
    if (failures >= FAILURES_MAX) routing.failCalls(error);
  }
}

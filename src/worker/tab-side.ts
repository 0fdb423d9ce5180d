/** What a client of a shared database does by itself, as the router sees it: it writes for all, or reads for itself. */
import type { Awaitable } from '../base/awaitable.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { OperationId } from '../store/receipts.ts';
import type { Answer, Call, EventMessage } from './protocol.ts';
import type { DatabaseMessage } from './tab-protocol.ts';

/** A database in this thread that answers calls now. */
export interface Serving {
  /** No other time of serving, here or elsewhere, has this name. */
  readonly term: string;
  /** @returns undefined when whoever serves next is to be asked */
  answer(id: number, call: Call, operation: OperationId | undefined): Awaitable<Answer<unknown> | undefined>;
  abort(id: number): void;
}

export interface LocalSide {
  readonly serving: Serving | undefined;
  /** About to serve: that takes as long as it takes. */
  readonly isLoading: boolean;
  /** @returns the call as it is to be carried out, by whomever @throws for one that is to be refused */
  admit?(call: Call): Call;
  /** Resolves when `leaving` has been aborted and nothing of what it began is left. */
  takePart(leaving: AbortSignal): Promise<void>;
  /** Ends serving. @param leaveLog others are waiting to go on */
  end(leaveLog: boolean): Promise<void>;
  hear(message: DatabaseMessage): void;
  /** Something is awaited that nobody answers. */
  wake?(): void;
  /** Goes on without a writer that gives no sign of life. Left out: those who wait are told. */
  goOnAlone?(): void;
  /** Others that would go on, were this one to leave. */
  readonly clientCount: number;
}

/** What the side may ask of its router. */
export interface Routing {
  /** Whether the database has been open already. */
  readonly isKnown: boolean;
  /** Whether any call, or the opening, waits for an answer. */
  readonly isAwaited: boolean;
  /** Patience with others begins to count. */
  startWaiting(): void;
  /** The writer that was known is none any more. */
  forgetWriter(): void;
  /** There is somebody to ask from now on: everything that waits is asked. */
  begin(role: 'writer' | 'follower'): void;
  post(message: DatabaseMessage): void;
  tell(message: EventMessage): void;
  warn(code: ErrorCode, message: string): void;
  /** @returns whether the database was being opened, which fails by this */
  failOpening(error: unknown): boolean;
  failCalls(error: unknown): void;
}

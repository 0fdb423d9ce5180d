/**
 * What tabs say to each other. Without a SharedWorker they cannot pass each other ports, so they talk over broadcast
 * channels: one of the database, for what concerns all, and one of each client, for its calls and their answers.
 *
 * A client is a tab's worker; the writer is the client that holds the database's lock; its term is one such time.
 */
import type { OpenOptions } from '../base/api.ts';
import type { Answer, Call, EventMessage } from './protocol.ts';

/** What a runtime must offer for tabs to share a database. */
export interface TabsPlatform {
  /** A message reaches everybody else who has opened this channel, each sender's in the order of sending. */
  openChannel<M>(name: string, onMessage: (message: M) => void): TabChannel<M>;
  /**
   * Waits for a lock that passes on by itself when its holder is gone.
   * @param signal gives up waiting, and then nothing comes of it
   * @returns lets the lock go
   */
  holdLock(name: string, signal?: AbortSignal): Promise<() => void>;
}

export interface TabChannel<M> {
  post(message: M): void;
  close(): void;
}

export type DatabaseMessage =
  /** Who writes here? */
  | { type: 'seek' }
  /** I do, or will as soon as everything is loaded. */
  | { type: 'writer'; term: string; isReady: boolean }
  /** I do not any more. */
  | { type: 'gone'; term: string }
  /** To the writer: here is one more, listen to its channel. */
  | { type: 'join'; term: string; client: number; durability: OpenOptions['durability'] }
  | { type: 'event'; message: EventMessage };

export type ClientMessage =
  /** The writer listens to this channel from now on. */
  | { type: 'joined'; term: string }
  | {
      type: 'call';
      term: string;
      id: number;
      call: Call;
      operation: NumberedOperation | undefined;
      expiresAt: number;
    }
  | { type: 'answer'; term: string; id: number; answer: Answer<unknown> }
  /** The call came after it had expired, and has not been looked at. */
  | { type: 'expired'; term: string; id: number }
  | { type: 'abort'; id: number }
  | { type: 'leave' };

/** An operation id, without the client that the channel belongs to. */
export interface NumberedOperation {
  number: number;
  settledBefore: number;
}

/** For its channel; and for a lock that it holds all its life, so that others notice when it is gone. */
export function clientName(client: number): string {
  return `isovec:client:${client}`;
}

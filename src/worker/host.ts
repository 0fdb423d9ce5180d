/** The worker's end: a database in this thread, served over comlink. */
import * as Comlink from 'comlink';
import type { RestoreReport } from '../base/api.ts';
import { assert } from '../base/errors.ts';
import type { LocalDatabase } from '../store/database.ts';
import { openLocal } from '../store/open.ts';
import type { Platform } from '../store/platform.ts';
import {
  type Answer,
  type Call,
  type EventMessage,
  type HostProtocol,
  OPENING_ABORT_ID,
  type RemoteOpenOptions,
  type RemoteRestoreOptions,
} from './protocol.ts';
import { answerBuffers, answered, CallServer } from './server.ts';

export class Host implements HostProtocol {
  readonly #platform: Platform;
  readonly #opening = new AbortController();
  #database: LocalDatabase | undefined;
  #server: CallServer | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  open(
    location: string,
    options: RemoteOpenOptions,
    events: MessagePort,
  ): Promise<Answer<Pick<LocalDatabase, 'storage'>>> {
    const tell = (message: EventMessage) => events.postMessage(message);
    return answered(async () => {
      const database = await openLocal(this.#platform, location, {
        ...options,
        signal: this.#opening.signal,
        onProgress: (payload) => tell({ event: 'progress', payload }),
      });
      this.#database = database;
      this.#server = new CallServer(database);
      database.on('commit', (payload) => tell({ event: 'commit', payload }));
      database.on('warning', (payload) => tell({ event: 'warning', payload }));
      database.on('queue', (payload) => tell({ event: 'queue', payload }));
      database.on('role', (payload) => tell({ event: 'role', payload }));
      return { storage: database.storage };
    });
  }

  restore(
    source: string,
    destination: string,
    options: RemoteRestoreOptions,
    events: MessagePort,
  ): Promise<Answer<RestoreReport>> {
    return answered(async () => {
      const { restoreLocal } = await import('../store/restore.ts');
      return restoreLocal(this.#platform, source, destination, {
        ...options,
        signal: this.#opening.signal,
        onProgress: (payload) => events.postMessage({ event: 'progress', payload } satisfies EventMessage),
      });
    });
  }

  async call(id: number, call: Call): Promise<Answer<unknown>> {
    assert(this.#server, 'the worker has no open database');
    const answer = await this.#server.answer(id, call);
    return Comlink.transfer(answer, answerBuffers(call, answer));
  }

  abort(id: number): void {
    if (id === OPENING_ABORT_ID) this.#opening.abort();
    else this.#server?.abort(id);
  }

  close(): Promise<Answer<void>> {
    return answered(() => this.#database?.close());
  }
}

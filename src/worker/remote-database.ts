import type {
  Collection,
  CollectionConfig,
  CollectionInfo,
  CompactResult,
  Database,
  DatabaseEvents,
  DatabaseStats,
  IntegrityReport,
  Metadata,
  RepairReport,
  Transaction,
  TransactionOptions,
} from '../base/api.ts';
import { Events } from '../store/events.ts';
import type { EngineOptions } from '../store/open-options.ts';
import { Session } from '../store/session.ts';
import { checkTransaction } from '../store/write-options.ts';
import { type SpawnedWorker, WorkerLink } from './link.ts';
import {
  type CollectionReference,
  type DatabaseMethod,
  type EventMessage,
  OPENING_ABORT_ID,
} from './protocol.ts';
import { RemoteCollection } from './remote-collection.ts';
import { runRemoteTransaction } from './remote-transaction.ts';

/** Opens a database in a worker of its own. As the public `open`. */
export async function openRemote(
  worker: SpawnedWorker,
  location: string,
  options: EngineOptions,
): Promise<Database> {
  const { onProgress, signal, worker: _, ...remote } = options;
  return startRemote(worker, { onProgress, signal }, async (link, events, port) => {
    const { storage } = await link.ask((host) => host.open(location, remote, port));
    return new RemoteDatabase(location, storage, link, events);
  });
}

/**
 * Asks a new worker for something that tells of its progress and can be aborted.
 * @param ask gets the end of a channel that the worker is to send events to; when it fails, the link ends
 */
export async function startRemote<T>(
  worker: SpawnedWorker,
  { onProgress, signal }: { onProgress: EngineOptions['onProgress']; signal: EngineOptions['signal'] },
  ask: (link: WorkerLink, events: Events, port: MessagePort) => Promise<T>,
): Promise<T> {
  const link = new WorkerLink(worker);
  const events = new Events();
  if (onProgress) events.on('progress', onProgress);
  const abort = () => link.abort(OPENING_ABORT_ID);
  signal?.addEventListener('abort', abort);
  try {
    return await ask(link, events, receiveEvents(events));
  } catch (error) {
    link.end();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** @returns the end that the worker is to send events to */
function receiveEvents(events: Events): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<EventMessage>) => events.emit(data.event, data.payload);
  // Only calls keep a process alive, listening does not. Browsers have no such thing.
  if ('unref' in port1) (port1 as unknown as { unref(): void }).unref();
  return port2;
}

class RemoteDatabase implements Database {
  readonly location: string;
  readonly storage: Database['storage'];
  readonly #link: WorkerLink;
  readonly #events: Events;
  readonly #session = new Session();

  constructor(location: string, storage: Database['storage'], link: WorkerLink, events: Events) {
    this.location = location;
    this.storage = storage;
    this.#link = link;
    this.#events = events;
  }

  async collection<M extends Metadata = Metadata>(
    name: string,
    config?: CollectionConfig,
  ): Promise<Collection<M>> {
    const reference = await this.#session.run(() =>
      this.#link.call<CollectionReference>({ type: 'openCollection', name, config }),
    );
    return new RemoteCollection<M>(reference, this.#link);
  }

  collections(): Promise<CollectionInfo[]> {
    return this.#call('collections');
  }

  dropCollection(name: string): Promise<void> {
    return this.#call('dropCollection', name);
  }

  transaction<T>(fn: (tx: Transaction) => Promise<T> | T, options?: TransactionOptions): Promise<T> {
    return this.#session.run(() => {
      const { signal: given } = checkTransaction(fn, options);
      return this.#session.runUntilClosing(given, (signal) => runRemoteTransaction(this.#link, fn, signal));
    });
  }

  flush(): Promise<void> {
    return this.#call('flush');
  }

  checkpoint(): Promise<void> {
    return this.#call('checkpoint');
  }

  pauseIndexing(): Promise<void> {
    return this.#call('pauseIndexing');
  }

  resumeIndexing(): Promise<void> {
    return this.#call('resumeIndexing');
  }

  compact(): Promise<CompactResult> {
    return this.#call('compact');
  }

  verify(): Promise<IntegrityReport> {
    return this.#call('verify');
  }

  repair(): Promise<RepairReport> {
    return this.#call('repair');
  }

  stats(): Promise<DatabaseStats> {
    return this.#call('stats');
  }

  on<E extends keyof DatabaseEvents>(event: E, listener: (payload: DatabaseEvents[E]) => void): () => void {
    this.#session.check();
    return this.#events.on(event, listener);
  }

  /** The worker finishes what it has been asked for, in order, and goes. */
  close(): Promise<void> {
    return this.#session.close(async () => {
      try {
        await this.#link.ask((host) => host.close());
      } finally {
        this.#link.end();
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call<K extends DatabaseMethod>(method: K, ...args: Parameters<Database[K]>): ReturnType<Database[K]> {
    const answered = this.#session.run(() => this.#link.call({ type: 'database', method, args }));
    return answered as ReturnType<Database[K]>;
  }
}

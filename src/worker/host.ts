/** The worker's end: a database in this thread; or in another tab's, to which calls are handed on. */
import type { Database, RestoreReport } from '../base/api.ts';
import type { Awaitable } from '../base/awaitable.ts';
import { assert, errorCodeOf } from '../base/errors.ts';
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
import { answered, CallServer } from './server.ts';
import type { TabsPlatform } from './tab-protocol.ts';
import { TabRouter } from './tab-router.ts';
import { WritingSide } from './tab-writing-side.ts';

/** What carries out the calls of a page. */
interface Service {
  call(id: number, call: Call): Awaitable<Answer<unknown>>;
  abort(id: number): void;
  suspend(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

type Tell = (message: EventMessage) => void;

export class Host implements HostProtocol {
  readonly #platform: Platform;
  readonly #tabs: TabsPlatform | undefined;
  readonly #opening = new AbortController();
  #service: Service | undefined;
  #tell: Tell = () => {};

  /** @param tabs where several tabs share a database */
  constructor(platform: Platform, tabs?: TabsPlatform) {
    this.#platform = platform;
    this.#tabs = tabs;
  }

  open(
    location: string,
    options: RemoteOpenOptions,
    events: MessagePort,
  ): Promise<Answer<Pick<Database, 'storage'>>> {
    const tell: Tell = (message) => events.postMessage(message);
    this.#tell = tell;
    return answered(async () => {
      const storage = await this.#platform.storage(options.storage ?? 'auto', location);
      const platform: Platform = { ...this.#platform, storage: async () => storage };
      // What has no lock is not shared.
      if (this.#tabs && storage.locks) {
        const Side = options.readOnly ? (await import('./tab-reading-side.ts')).ReadingSide : WritingSide;
        const parts = { tabs: this.#tabs, platform, storage, location, options, tell };
        const router = new TabRouter(parts, (...given) => new Side(...given));
        this.#service = router;
        await router.open(this.#opening.signal);
      } else this.#service = await this.#openHere(platform, location, options, tell);
      return { storage: storage.provider.kind };
    });
  }

  restore(
    source: string,
    destination: string,
    options: RemoteRestoreOptions,
    events: MessagePort,
  ): Promise<Answer<RestoreReport>> {
    return answered(async () => {
      const { restoreLocal } = await import('../store/on-demand.ts');
      return restoreLocal(this.#platform, source, destination, {
        ...options,
        signal: this.#opening.signal,
        onProgress: (payload) => events.postMessage({ event: 'progress', payload } satisfies EventMessage),
      });
    });
  }

  call(id: number, call: Call): Awaitable<Answer<unknown>> {
    assert(this.#service, 'the worker has no open database');
    return this.#service.call(id, call);
  }

  abort(id: number): void {
    if (id === OPENING_ABORT_ID) this.#opening.abort();
    else this.#service?.abort(id);
  }

  suspend(): void {
    this.#service?.suspend().catch((error) => this.#warn('hand over before it stops', error));
  }

  resume(): void {
    this.#service?.resume().catch((error) => this.#warn('take part again', error));
  }

  close(): Promise<Answer<void>> {
    return answered(async () => this.#service?.close());
  }

  /** The page waits for neither. */
  #warn(what: string, error: unknown): void {
    const message = `this tab could not ${what}: ${error}`;
    this.#tell({ event: 'warning', payload: { code: errorCodeOf(error), message } });
  }

  async #openHere(
    platform: Platform,
    location: string,
    options: RemoteOpenOptions,
    tell: Tell,
  ): Promise<Service> {
    const database = await openLocal(platform, location, {
      ...options,
      signal: this.#opening.signal,
      onProgress: (payload) => tell({ event: 'progress', payload }),
    });
    for (const event of ['commit', 'warning', 'queue', 'role'] as const)
      database.on(event, (payload) => tell({ event, payload } as EventMessage));
    const server = new CallServer(database);
    return {
      call: (id, call) => server.answer(id, call),
      abort: (id) => server.abort(id),
      suspend: async () => {},
      resume: async () => {},
      close: () => database.close(),
    };
  }
}

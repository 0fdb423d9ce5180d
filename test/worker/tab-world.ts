/** Several tabs of one browser, simulated in one thread: they share files, locks and channels, and can be killed. */
import type { Database, OpenOptions } from '../../src/base/api.ts';
import { whenWaitingEnds } from '../../src/storage/lock-waiting.ts';
import { MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend, StorageFile } from '../../src/storage/storage.ts';
import { destroyLocal } from '../../src/store/destroy.ts';
import { checkOpenOptions } from '../../src/store/open-options.ts';
import type { Platform } from '../../src/store/platform.ts';
import { Host } from '../../src/worker/host.ts';
import { openRemote } from '../../src/worker/remote-database.ts';
import type { TabsPlatform } from '../../src/worker/tab-protocol.ts';
import { memoryPlatform } from '../store/memory-platform.ts';
import { inThisThread } from './same-thread.ts';

/** What a dead tab waits for. */
const never = new Promise<never>(() => {});

export class TabWorld {
  readonly files = new Map<string, MemoryFiles>();
  readonly channels = new Set<{ tab: Tab; name: string; hear: (message: never) => void }>();
  readonly #locks = new Map<string, { holder: Tab; queue: Waiting[] }>();

  tab(): Tab {
    return new Tab(this);
  }

  /** @returns lets it go */
  lock(tab: Tab, name: string, signal?: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const release = () => this.#pass(name, tab);
      const grant = () => (signal?.aborted ? release() : resolve(release));
      const waiting: Waiting = { tab, grant };
      signal?.addEventListener('abort', () => {
        const queue = this.#locks.get(name)?.queue;
        if (queue?.includes(waiting)) queue.splice(queue.indexOf(waiting), 1);
        reject(signal.reason);
      });
      const lock = this.#locks.get(name);
      if (lock) lock.queue.push(waiting);
      else {
        this.#locks.set(name, { holder: tab, queue: [] });
        setImmediate(waiting.grant);
      }
    });
  }

  kill(tab: Tab): void {
    tab.die();
    for (const channel of this.channels) if (channel.tab === tab) this.channels.delete(channel);
    for (const [name, lock] of this.#locks) {
      lock.queue = lock.queue.filter((waiting) => waiting.tab !== tab);
      if (lock.holder === tab) this.#pass(name, tab);
    }
  }

  #pass(name: string, from: Tab): void {
    const lock = this.#locks.get(name);
    if (lock?.holder !== from) return;
    const next = lock.queue.shift();
    if (!next) {
      this.#locks.delete(name);
      return;
    }
    lock.holder = next.tab;
    setImmediate(next.grant);
  }
}

interface Waiting {
  tab: Tab;
  grant: () => void;
}

export class Tab {
  readonly world: TabWorld;
  isDead = false;
  /** Nobody hears it. */
  isMute = false;
  /** Set while it stands still: what it has yet to hear. */
  #unheard: (() => void)[] | undefined;
  /** Dies when it has done so many more operations on files. */
  operationsLeft = Number.POSITIVE_INFINITY;
  /** Resolves when it is dead. */
  readonly died: Promise<void>;
  readonly die: () => void;
  #host: Host | undefined;

  constructor(world: TabWorld) {
    this.world = world;
    let resolve = () => {};
    this.died = new Promise((done) => {
      resolve = done;
    });
    this.die = () => {
      this.isDead = true;
      resolve();
    };
  }

  async open(location: string, options: OpenOptions = {}): Promise<Database> {
    checkOpenOptions(location, options);
    this.#host = new Host(this.#platform(), this.#tabs());
    return openRemote(inThisThread(this.#host), location, options);
  }

  destroy(location: string, options: OpenOptions = {}): Promise<void> {
    return destroyLocal(this.#platform(), location, options);
  }

  kill(): void {
    this.world.kill(this);
  }

  hear(message: () => void): void {
    if (this.#unheard) this.#unheard.push(message);
    else message();
  }

  /** Hears nothing until it goes on, as if it were frozen without having been told. */
  stand(): void {
    this.#unheard = [];
  }

  goOn(): void {
    const unheard = this.#unheard ?? [];
    this.#unheard = undefined;
    for (const message of unheard) message();
  }

  suspend(): void {
    this.#host?.suspend();
  }

  resume(): void {
    this.#host?.resume();
  }

  #tabs(): TabsPlatform {
    const { channels } = this.world;
    return {
      openChannel: (name, onMessage) => {
        const channel = { tab: this as Tab, name, hear: onMessage };
        channels.add(channel);
        return {
          post: (message) => {
            if (this.isDead || this.isMute) return;
            for (const other of channels) {
              if (other.name !== name || other === channel) continue;
              const copy = structuredClone(message);
              setImmediate(() => other.tab.hear(() => channels.has(other) && other.hear(copy as never)));
            }
          },
          close: () => channels.delete(channel),
        };
      },
      holdLock: (name, signal) => this.world.lock(this, name, signal).catch(() => never),
    };
  }

  #platform(): Platform {
    const platform = memoryPlatform(this.world.files);
    return {
      ...platform,
      storage: async (kind, location) => ({
        provider: {
          ...(await platform.storage(kind, location)).provider,
          open: async (place, { readOnly }) => {
            const files = this.world.files.get(place) ?? new MemoryFiles();
            this.world.files.set(place, files);
            return this.#mortal(new MemoryBackend(place, files, readOnly));
          },
        },
        locks: {
          acquire: async (name, options) => {
            const giveUp = new AbortController();
            const stop = whenWaitingEnds(name, options, (reason) => giveUp.abort(reason));
            const release = await this.world.lock(this, `lock:${name}`, giveUp.signal);
            stop();
            return { release: async () => release() };
          },
        },
      }),
    };
  }

  /** Every operation waits for ever once the tab is dead, and may be the one that it dies of, before or after it. */
  #mortal<T extends StorageBackend | StorageFile>(target: T): T {
    return new Proxy(target, {
      get: (_, key) => {
        const value = Reflect.get(target, key) as unknown;
        // As in OPFS and IndexedDB, one context at a time writes.
        if (key === 'capabilities') return { ...(value as object), sharedWrites: false };
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          if (this.isDead) return never;
          if (--this.operationsLeft < 0) this.kill();
          const isDone = !this.isDead || Math.random() < 0.5;
          const result: unknown = isDone ? await value.apply(target, given) : never;
          if (this.isDead) return never;
          return key === 'open' ? this.#mortal(result as StorageFile) : result;
        };
      },
    });
  }
}

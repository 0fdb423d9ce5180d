import type { OpenOptions, StorageStats } from '../base/api.ts';
import { placeMissing } from '../storage/failures.ts';
import type { LockProvider } from '../storage/lock.ts';
import { retrying } from '../storage/retrying.ts';
import type { StorageBackend, StorageProvider } from '../storage/storage.ts';
import type { Events } from './events.ts';
import type { EngineOptions } from './open-options.ts';
import type { Platform, PlatformStorage } from './platform.ts';

/** Where one database lies: opened with patience, and watched. */
export class Place {
  readonly locks: LockProvider | undefined;
  readonly #location: string;
  readonly #options: EngineOptions;
  readonly #events: Events;
  readonly #provider: StorageProvider;
  readonly #estimate: PlatformStorage['estimate'];
  #retries = 0;

  private constructor(found: PlatformStorage, location: string, options: EngineOptions, events: Events) {
    this.locks = found.locks;
    this.#location = location;
    this.#options = options;
    this.#events = events;
    this.#estimate = found.estimate;
    const { signal } = options;
    this.#provider = retrying(found.provider, {
      ...(signal && { signal }),
      onRetry: (error, attempt) => this.#tellRetry(error, attempt),
    });
  }

  static async find(
    platform: Platform,
    location: string,
    options: EngineOptions,
    events: Events,
  ): Promise<Place> {
    const found = await platform.storage(options.storage ?? 'auto', location);
    if (found.warning !== undefined) events.emit('warning', { code: 'UNSUPPORTED', message: found.warning });
    return new Place(found, location, options, events);
  }

  /** To be called before anything, even a lock, is made here. @throws IsovecError NOT_FOUND when nothing may be made */
  async checkThere(): Promise<void> {
    if (mayCreate(this.#options) || (await this.#provider.exists(this.#location))) return;
    throw placeMissing(this.#location);
  }

  open(): Promise<StorageBackend> {
    const { readOnly = false } = this.#options;
    return this.#provider.open(this.#location, { create: mayCreate(this.#options), readOnly });
  }

  /** Warns when a new database stands where there are traces of another. @param lost as in StorageBackend */
  async tellCreated(lost: string | undefined): Promise<void> {
    if (lost === undefined && Object.keys(this.#options.traces ?? {}).length === 0) return;
    const { tellCreated } = await import('./on-demand.ts');
    const { kind } = this.#provider;
    tellCreated({ location: this.#location, kind, options: this.#options, lost }, this.#events);
  }

  async stats(): Promise<StorageStats> {
    return { retries: this.#retries, ...(await this.#estimate?.()) };
  }

  /** One warning for an operation, however often it is tried again. */
  #tellRetry(error: unknown, attempt: number): void {
    this.#retries++;
    if (attempt === 1)
      this.#events.emit('warning', { code: 'STORAGE_IO', message: `will be tried again: ${error}` });
  }
}

export function mayCreate({ create = true, readOnly = false }: OpenOptions): boolean {
  return create && !readOnly;
}

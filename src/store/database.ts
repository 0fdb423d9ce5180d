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
import { IsovecError } from '../base/errors.ts';
import { NAME_BYTES_MAX } from '../base/limits.ts';
import type { HeldLock } from '../storage/lock.ts';
import { type CollectionOwner, dropped, LocalCollection } from './collection.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import { copyOf } from './copy-of.ts';
import { type Engine, openedReadOnly } from './engine.ts';
import { Indexer } from './indexer.ts';
import type { LogCare } from './log-care.ts';
import { Maintenance } from './maintenance.ts';
import type { Place } from './place.ts';
import type { OperationId } from './receipts.ts';
import { checkName } from './records.ts';
import { Session } from './session.ts';
import { checkTransaction } from './write-options.ts';

export interface DatabaseParts {
  location: string;
  engine: Engine;
  place: Place;
  /** Says that it is open. */
  presence: HeldLock | undefined;
  yieldTurn: (callback: () => void) => void;
  care: LogCare;
}

interface CreationOptions {
  /** For a receipt of the creation. */
  operation?: OperationId | undefined;
  /** Nothing is created: whoever asks may only read. */
  isReadOnly?: boolean | undefined;
}

/** The door to one open database, in the thread that holds it. */
export class LocalDatabase implements Database {
  readonly location: string;
  readonly storage: Database['storage'];
  readonly #engine: Engine;
  readonly #place: Place;
  readonly #presence: HeldLock | undefined;
  /** By which calls of pages and other tabs are carried out. */
  readonly #known = new WeakMap<CollectionState, LocalCollection<Metadata>>();
  readonly #session = new Session();
  readonly #maintenance: Maintenance;
  readonly #indexer: Indexer;
  #endVerifying: () => void = () => {};

  constructor({ location, engine, place, presence, yieldTurn, care }: DatabaseParts) {
    this.location = location;
    this.storage = engine.storage.kind;
    this.#engine = engine;
    this.#place = place;
    this.#presence = presence;
    this.#maintenance = new Maintenance(engine, care);
    this.#indexer = new Indexer(engine, yieldTurn);
    engine.onCommitted = () => {
      this.#indexer.wake();
      this.#maintenance.afterCommit();
    };
    engine.onBacklog = () => this.#indexer.wake();
    this.#indexer.wake();
    if (engine.archiving?.isReady === false) void this.#maintenance.checkpointSoon();
  }

  collection<M extends Metadata = Metadata>(name: string, config?: CollectionConfig): Promise<Collection<M>> {
    return this.#session.run(async () => this.localCollection<M>(name, config));
  }

  /** As `collection`, with what only this thread can offer. */
  async localCollection<M extends Metadata>(
    name: string,
    config?: CollectionConfig,
    creation: CreationOptions = {},
  ): Promise<LocalCollection<M>> {
    const engine = this.#engine;
    checkName(name, 'name', NAME_BYTES_MAX);
    const copied = copyOf(config);
    const { checkConfigMatches, resolveConfig, withCheckedSchema } = await import('./on-demand.ts');
    const given = copied && (await withCheckedSchema(copied));
    const open = () => {
      const found = engine.collections.find(name);
      if (found && given !== undefined) checkConfigMatches(name, given, found.config);
      return found;
    };
    await engine.refresh();
    const state = open() ?? (await this.#create(name, given && (() => resolveConfig(given)), open, creation));
    return new LocalCollection<M>(state, this.#owner);
  }

  /** @param open answers with the collection if somebody has created it meanwhile */
  async #create(
    name: string,
    resolve: (() => ResolvedConfig) | undefined,
    open: () => CollectionState | undefined,
    { operation, isReadOnly }: CreationOptions,
  ): Promise<CollectionState> {
    const engine = this.#engine;
    if (!resolve) {
      // It may be being created by a call before this one.
      await engine.writing.run(async () => {});
      const found = open();
      if (found) return found;
      throw notFound(name);
    }
    const config = resolve();
    if (isReadOnly) throw openedReadOnly();
    return engine.exclusively(async () => {
      const found = open();
      if (found) return found;
      const collectionId = engine.collections.nextCollectionId;
      const receipt = operation && { ...operation, outcome: collectionId };
      await engine.define({ kind: 'create', collectionId, name, config }, receipt);
      return engine.collections.find(name)!;
    });
  }

  /**
   * One that has been opened before, by its number.
   * @param operation for a receipt of what will be written through it
   * @throws IsovecError NOT_FOUND when it has been dropped since
   */
  knownCollection(id: number, name: string, operation?: OperationId): LocalCollection<Metadata> {
    const state = this.#engine.collections.get(id);
    if (!state) throw dropped(name);
    if (operation) return new LocalCollection(state, this.#owner, operation);
    const known = this.#known.get(state) ?? new LocalCollection(state, this.#owner);
    this.#known.set(state, known);
    return known;
  }

  /** The outcome of an operation that has been carried out under this id, as its receipt has it. */
  outcomeOf(operation: OperationId): number | undefined {
    return this.#engine.collections.receipts.find(operation);
  }

  collections(): Promise<CollectionInfo[]> {
    return this.#session.run(async () => {
      await this.#engine.refresh();
      return this.#engine.collections.infos();
    });
  }

  dropCollection(name: string, operation?: OperationId): Promise<void> {
    const engine = this.#engine;
    return this.#session.run(async () => {
      checkName(name, 'name', NAME_BYTES_MAX);
      const state = await engine.exclusively(async () => {
        const found = engine.collections.find(name);
        if (!found) throw notFound(name);
        const receipt = operation && { ...operation, outcome: found.id };
        await engine.define({ kind: 'drop', collectionId: found.id }, receipt);
        return found;
      });
      // A checkpoint under way may be at them.
      await this.#maintenance.alone(() => state.files.close());
      // Its files go with the next checkpoint, so one is made. The drop itself is durable already.
      await this.#maintenance.checkpointSoon();
    });
  }

  /** @param operationOf for a receipt, once `fn` has returned */
  transaction<T>(
    fn: (tx: Transaction) => Promise<T> | T,
    options?: TransactionOptions,
    operationOf?: (result: T) => OperationId | undefined,
  ): Promise<T> {
    return this.#session.run(() => {
      const { signal: given } = checkTransaction(fn, options);
      const engine = this.#engine;
      const find = (name: string) => {
        const state = engine.collections.find(name);
        if (!state) throw notFound(name);
        return state;
      };
      return this.#session.runUntilClosing(given, (signal) =>
        engine.transact(async (draft) => {
          // Loaded when it has its turn, so that it keeps its place in the line.
          const { runTransaction } = await import('./on-demand.ts');
          const result = await runTransaction(draft, { find, pause: engine.pause }, fn, signal);
          const operation = operationOf?.(result);
          if (operation) draft.receipt = { ...operation, outcome: 0 };
          return result;
        }, signal),
      );
    });
  }

  flush(): Promise<void> {
    return this.#session.run(async () => {
      if (this.#engine.readOnly) return;
      // What has been called before this is staged by now, and so flushed with it.
      const { writing } = this.#engine;
      const pass = async () => {};
      await Promise.all([writing.run(pass), writing.run(pass, { priority: 'bulk' })]);
      await this.#engine.journal.flush();
    });
  }

  checkpoint(): Promise<void> {
    return this.#session.run(() => this.#maintenance.checkpoint());
  }

  pauseIndexing(): Promise<void> {
    return this.#session.run(async () => this.#indexer.pause());
  }

  resumeIndexing(): Promise<void> {
    return this.#session.run(async () => this.#indexer.resume());
  }

  compact(): Promise<CompactResult> {
    return this.#session.run(() =>
      this.#maintenance.compact((progress) => this.#engine.events.emit('progress', progress)),
    );
  }

  verify(): Promise<IntegrityReport> {
    return this.#session.run(async () => {
      const { verify } = await import('./on-demand.ts');
      return this.#maintenance.alone(() => verify(this.#engine, this.#engine.pause));
    });
  }

  /** Verifies in the background until it is closed, which does not wait for that. */
  async verifyEvery(intervalMs: number): Promise<void> {
    const { verify, verifyRegularly } = await import('./on-demand.ts');
    const pause = () => {
      this.#session.check();
      return this.#engine.pause();
    };
    const verifyOnce = () =>
      this.#session.run(() => this.#maintenance.alone(() => verify(this.#engine, pause)));
    this.#endVerifying = verifyRegularly(verifyOnce, this.#engine.events, intervalMs);
  }

  repair(): Promise<RepairReport> {
    return this.#session.run(async () => {
      const { repair } = await import('./on-demand.ts');
      const report = await this.#maintenance.alone(() => repair(this.#engine, this.#engine.pause));
      this.#indexer.wake();
      return report;
    });
  }

  stats(): Promise<DatabaseStats> {
    return this.#session.run(async () => {
      await this.#engine.refresh();
      const { statisticsOf } = await import('./on-demand.ts');
      return statisticsOf(this.#engine, this.#place);
    });
  }

  on<E extends keyof DatabaseEvents>(event: E, listener: (payload: DatabaseEvents[E]) => void): () => void {
    this.#session.check();
    return this.#engine.events.on(event, listener);
  }

  /** @param leaveLog leaves taking in the log to whoever opens next, which is waiting already */
  close({ leaveLog = false }: { leaveLog?: boolean } = {}): Promise<void> {
    this.#endVerifying();
    return this.#session.close(async () => {
      const { journal, storage, collections } = this.#engine;
      this.#indexer.stop();
      try {
        if (this.#engine.isWritable && !leaveLog) await this.#maintenance.finish();
        await journal.close();
      } finally {
        for (const { files } of collections.values()) await files.close();
        await storage.close();
        await this.#engine.lease.close();
        await this.#presence?.release();
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #owner(): CollectionOwner {
    return { engine: this.#engine, session: this.#session, maintenance: this.#maintenance };
  }
}

function notFound(name: string): IsovecError {
  return new IsovecError('NOT_FOUND', `there is no collection "${name}"; give a config to create it`, {
    details: { collection: name },
  });
}

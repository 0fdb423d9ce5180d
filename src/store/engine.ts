/**
 * The committed state of one open database, and the one way to change it: a draft is validated against what is
 * committed and staged, appended to the log as one frame, and applied once it is durable. So a query never sees what
 * could still be lost, and a failed write leaves no trace.
 */
import type { DatabaseEvents } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { ChecksumName } from '../journal/manifest.ts';
import type { Calibration } from '../search/calibration.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { RowTable } from '../tables/row-table.ts';
import type { RecordExtent } from '../tables/rows-file.ts';
import type { Archiving } from './archiving.ts';
import { BlockCache } from './block-cache.ts';
import { CollectionFiles, type GrowingFiles } from './collection-files.ts';
import { CollectionState } from './collection-state.ts';
import { Collections } from './collections.ts';
import type { ResolvedConfig } from './config.ts';
import { Draft } from './draft.ts';
import type { Events } from './events.ts';
import type { Follower } from './follower.ts';
import type { Kernels } from './kernels.ts';
import { ExclusiveLease, type WriterLease } from './lease.ts';
import { makeFlatIndex, makeIndex } from './make-index.ts';
import type { DatabaseState } from './manifest-state.ts';
import { growingFileNames } from './manifest-state.ts';
import type { MemoryLimit } from './memory-limit.ts';
import type { Mutation } from './mutations.ts';
import {
  type ChangeOperation,
  type DefinitionOperation,
  type Operation,
  operationsPayload,
  type RecordOperation,
} from './operations.ts';
import type { ResultCache } from './queries/result-cache.ts';
import type { Receipt } from './receipts.ts';
import type { Salvaged } from './salvaged.ts';
import { Slices } from './slices.ts';
import { Staging } from './staging.ts';
import type { TurnOptions, WriteQueue } from './write-queue.ts';

/** Record blocks kept for reading. A thousand blocks: the hits of a hundred queries of ten. */
const BLOCK_CACHE_BYTES = 16 * 1024 * 1024;

export interface EngineParts {
  storage: StorageBackend;
  journal: Journal<DatabaseState>;
  kernels: Kernels;
  events: Events;
  writing: WriteQueue;
  readOnly: boolean;
  checksum: ChecksumName;
  /** Lets everything else that waits have a turn. */
  pause: () => Promise<void>;
}

export class Engine {
  readonly storage: StorageBackend;
  readonly journal: Journal<DatabaseState>;
  readonly events: Events;
  readonly readOnly: boolean;
  /** What the checksums of new files are made with. */
  readonly checksum: ChecksumName;
  readonly pause: () => Promise<void>;
  readonly cache = new BlockCache(() => this.memoryLimit?.cacheBytes(BLOCK_CACHE_BYTES) ?? BLOCK_CACHE_BYTES);
  readonly collections: Collections;
  /** Where what is cut off the log is kept. */
  archiving: Archiving | undefined;
  /** Held while a batch is put together and staged, and while maintenance needs the state to stand still. */
  readonly writing: WriteQueue;
  /** A query after another, answered from memory, would give nobody else a turn. */
  readonly querying: Slices;
  /** Set where there is one. */
  resultCache: ResultCache | undefined;
  /** Set where there is one. */
  memoryLimit: MemoryLimit | undefined;
  /** Set while the database is damaged and not repaired yet. */
  salvaged: Salvaged | undefined;
  /** Until ids that were read on opening can be found: who asks for one waits, so that nothing else does. */
  findingIds: Promise<void> | undefined;
  /** Called after each commit. */
  onCommitted: () => void = () => {};
  /** Called when there may be something for the graphs to catch up with, besides what is committed here. */
  onBacklog: () => void = () => {};
  /** Set when the engine is complete. Nothing is written without it. */
  lease: WriterLease = new ExclusiveLease(undefined);
  /** Set where others may write, too. */
  follower: Follower | undefined;
  /**
   * Empty indexes that have served a ranking, by shape. An instance of the kernel claims 10 GB of addresses until the
   * garbage collector finds it, which knows nothing of that: 12,000 exact queries with one each would be too many.
   */
  readonly rankings = new Map<string, VectorIndex>();
  readonly #kernels: Kernels;
  readonly #staging = new Staging();
  /** Commits that are not on the device yet, oldest first. */
  #unflushed: DatabaseEvents['commit'][] = [];
  #failure: unknown;

  constructor({ storage, journal, kernels, events, writing, readOnly, checksum, pause }: EngineParts) {
    this.storage = storage;
    this.journal = journal;
    this.events = events;
    this.writing = writing;
    this.readOnly = readOnly;
    this.checksum = checksum;
    this.pause = pause;
    this.querying = new Slices(pause);
    this.#kernels = kernels;
    this.collections = this.createCollections();
  }

  get memoryBytes(): number {
    let bytes = this.cache.memoryBytes + (this.resultCache?.stats.bytes ?? 0);
    for (const { memoryBytes } of [...this.collections.values(), ...this.rankings.values()])
      bytes += memoryBytes;
    return bytes;
  }

  async createIndex(config: ResolvedConfig, calibration?: Calibration): Promise<VectorIndex> {
    const index = await makeIndex(this.#kernels, config, calibration);
    this.memoryLimit?.checkFits('an index for another collection', index.memoryBytes);
    if (this.memoryLimit) index.spareMemory?.();
    return index;
  }

  /** An empty index that holds vectors and answers exactly. @throws IsovecError QUOTA_EXCEEDED */
  createFlatIndex(config: Pick<ResolvedConfig, 'dimensions' | 'metric'>): Promise<VectorIndex> {
    return makeFlatIndex(this.#kernels, config);
  }

  /** The files of a collection, to be read by row. @param extents what they hold already */
  createFiles(names: GrowingFiles, config: ResolvedConfig, extents: RecordExtent[] = []): CollectionFiles {
    const files = new CollectionFiles(this.storage, this.cache, names, config.dimensions, extents);
    files.mayCache = (bytes) => this.memoryLimit?.mayCache(bytes) ?? true;
    return files;
  }

  /** Everything that was staged is gone: the write that it stood on has failed. */
  dropStaged(): void {
    this.#staging.drop();
  }

  /** Writes that have been called and are not committed yet. */
  get waiting(): { operations: number; bytes: number } {
    const queued = this.writing.waiting;
    const staged = this.#staging.waiting;
    return { operations: queued.operations + staged.operations, bytes: queued.bytes + staged.bytes };
  }

  /** Everything up to this sequence is on the device. */
  tellFlushed(sequence: number): void {
    this.journal.announce();
    while (this.#unflushed.length > 0 && this.#unflushed[0]!.sequence <= sequence)
      this.events.emit('commit', this.#unflushed.shift()!);
  }

  /** @throws IsovecError READ_ONLY; STORAGE_IO when the database can only be closed any more */
  checkWritable(): void {
    if (this.readOnly) throw openedReadOnly();
    if (this.salvaged)
      throw new IsovecError(
        'READ_ONLY',
        'the database is damaged: it takes no writes until repair() has run',
      );
    if (this.#failure !== undefined)
      throw new IsovecError(
        'STORAGE_IO',
        'the database failed earlier and takes no more writes until reopened',
        {
          cause: this.#failure,
        },
      );
  }

  get isWritable(): boolean {
    return !this.readOnly && !this.salvaged && this.#failure === undefined;
  }

  /** From now on no write is taken. */
  fail(cause: unknown): void {
    this.#failure ??= cause;
  }

  /**
   * One batch. If the mutation throws, nothing has happened.
   * @returns what the mutation returned, once the batch is committed and applied
   */
  async write<T>({ bytes, apply }: Mutation<T>, options: TurnOptions = {}): Promise<T> {
    const turn = async () => {
      if (this.findingIds) await this.findingIds;
      await this.#staging.room();
      for (;;) {
        this.checkWritable();
        const failedBefore = this.#staging.failures;
        const draft = new Draft(this.#staging.operations);
        const result = await apply(draft);
        // What the draft was built on may have failed meanwhile; then it must be built on what is left.
        if (failedBefore === this.#staging.failures) return { result, committed: this.#commitDraft(draft) };
      }
    };
    return this.#commitTurn(turn, (fn) => this.writing.run(fn, { ...options, bytes }));
  }

  /**
   * A batch that `run` puts together in its own time. It stands on what is committed, which nobody changes meanwhile.
   * @returns what `run` returned, once the batch is committed and applied
   */
  async transact<T>(run: (draft: Draft) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const turn = async () => {
      this.checkWritable();
      if (this.findingIds) await this.findingIds;
      await this.journal.drain();
      const draft = new Draft(this.#staging.operations);
      const result = await run(draft);
      this.checkWritable();
      return { result, committed: this.#commitDraft(draft) };
    };
    return this.#commitTurn(turn, (fn) => this.writing.runTransaction(fn, { signal }));
  }

  /** Runs `fn` with the right to write, and nothing else being put together. */
  async exclusively<T>(fn: () => Promise<T>): Promise<T> {
    this.checkWritable();
    return this.#commitTurn(
      async () => ({ result: await fn(), committed: Promise.resolve() }),
      (turn) => this.writing.run(turn),
    );
  }

  /** Before reading: takes in what others have written, if there is anything. */
  refresh(): Promise<void> | undefined {
    if (!this.follower || !this.journal.isBehind) return undefined;
    // Whoever can write has seen everything.
    return this.follower.refresh(() => !this.readOnly && this.lease.isHeld);
  }

  /** A turn keeps the lease until what it has staged is committed. */
  async #commitTurn<T>(
    turn: () => Promise<{ result: T; committed: Promise<void> }>,
    run: (fn: typeof turn) => ReturnType<typeof turn>,
  ): Promise<T> {
    const { result, committed } = await run(async () => {
      this.checkWritable();
      await this.lease.enter();
      const leave = () => this.lease.leave();
      try {
        const outcome = await turn();
        outcome.committed.then(leave, leave);
        return outcome;
      } catch (error) {
        leave();
        throw error;
      }
    });
    await committed;
    return result;
  }

  /** Creates, changes or drops a collection. Runs alone, after everything before it is committed. */
  async define(operation: DefinitionOperation, receipt?: Receipt): Promise<void> {
    this.checkWritable();
    await this.collections.prepare([operation]);
    await this.journal.drain();
    await this.#commit([operation], receipt, () => this.collections.apply(operation));
  }

  /** Takes in a batch that somebody else has written, in one turn. */
  async takeIn(operations: readonly Operation[], sequence: number): Promise<void> {
    const names = this.#namesOf(operations);
    await this.collections.applyAll(operations);
    this.events.emit('commit', { sequence, collections: names });
    this.onBacklog();
  }

  /** Collections that are to take the place of those here. */
  createCollections(): Collections {
    return new Collections((id, name, config) => this.#createEmpty(id, name, config));
  }

  async #createEmpty(id: number, name: string, config: ResolvedConfig): Promise<CollectionState> {
    const names = growingFileNames(id, 0);
    const files = this.createFiles(names, config);
    const parts = { rows: new RowTable(), files, index: await this.createIndex(config) };
    return new CollectionState(id, name, config, 0, parts);
  }

  #commitDraft(draft: Draft): Promise<void> {
    const { operations, receipt } = draft;
    if (operations.length === 0) return Promise.resolve();
    const puts = countPuts(operations);
    this.memoryLimit?.checkWrite(operations, (collectionId) => this.#staging.awaited(collectionId));
    this.#reserve(puts);
    const committed = this.#commit(operations, receipt, () => {
      draft.unmerge();
      for (const [collectionId, count] of puts) this.#staging.arrived(collectionId, count);
      for (const operation of operations) this.collections.apply(operation);
    });
    this.#staging.add(draft, committed);
    return committed;
  }

  /** What is durable must fit into memory too, so room is made before anything is promised. */
  #reserve(puts: Map<number, number>): void {
    for (const [collectionId, count] of puts) {
      const awaited = this.#staging.awaited(collectionId);
      this.collections.get(collectionId)?.reserve(awaited + count);
    }
    for (const [collectionId, count] of puts) this.#staging.await(collectionId, count);
  }

  async #commit(
    operations: readonly ChangeOperation[],
    receipt: Receipt | undefined,
    apply: () => void,
  ): Promise<void> {
    const names = this.#namesOf(operations);
    const logged = receipt ? [...operations, { kind: 'receipt' as const, ...receipt }] : operations;
    let failure: unknown;
    await this.journal.append(operationsPayload(logged), (sequence) => {
      this.#unflushed.push({ sequence, collections: names });
      try {
        apply();
        if (receipt) this.collections.receipts.add(receipt);
      } catch (error) {
        // The batch is durable, but memory no longer says the same as the log: only reopening can help.
        failure = error;
        this.fail(error);
      }
    });
    if (failure !== undefined) throw failure;
    this.onCommitted();
  }

  #namesOf(operations: readonly Operation[]): string[] {
    const names = new Set<string>();
    for (const operation of operations)
      if (operation.kind === 'create') names.add(operation.name);
      else if (operation.kind !== 'receipt')
        names.add(this.collections.get(operation.collectionId)?.name ?? '');
    return [...names];
  }
}

export function openedReadOnly(): IsovecError {
  return new IsovecError('READ_ONLY', 'the database was opened with readOnly');
}

function countPuts(operations: readonly RecordOperation[]): Map<number, number> {
  const puts = new Map<number, number>();
  for (const { kind, collectionId } of operations)
    if (kind === 'put') puts.set(collectionId, (puts.get(collectionId) ?? 0) + 1);
  return puts;
}

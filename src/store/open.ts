import { checkNotAborted } from '../base/abort.ts';
import type { Progress } from '../base/api.ts';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import type { HeldLock, LockOptions } from '../storage/lock.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { LocalDatabase } from './database.ts';
import { Engine } from './engine.ts';
import { Events } from './events.ts';
import { Kernels } from './kernels.ts';
import { ExclusiveLease } from './lease.ts';
import { careWithin, LOG_CARE, type LogCare } from './log-care.ts';
import { type DatabaseState, INITIAL_STATE } from './manifest-state.ts';
import { type EngineOptions, LOCK_TIMEOUT_DEFAULT_MS, QUEUE_LIMIT_DEFAULT } from './open-options.ts';
import { decodeOperations } from './operations.ts';
import { mayCreate, Place } from './place.ts';
import type { Platform } from './platform.ts';
import { WriteQueue } from './write-queue.ts';

const SYNC_INTERVAL_DEFAULT_MS = 1000;

/** Opens a database in this thread. As the public `open`. @param care other bounds than the usual: for tests */
export async function openLocal(
  platform: Platform,
  location: string,
  options: EngineOptions,
  care: LogCare = LOG_CARE,
): Promise<LocalDatabase> {
  const { readOnly = false, signal } = options;
  const events = new Events();
  if (options.onProgress) events.on('progress', options.onProgress);
  const place = await Place.find(platform, location, options, events);
  await place.checkThere();

  // Only what holds the lock may create, so two that open at the same instant make one database.
  let engine: Engine | undefined;
  const onLost = (reason: Error) => {
    engine?.fail(reason);
    events.emit('warning', { code: 'LOCK_TIMEOUT', message: `the write lock was lost: ${reason.message}` });
  };
  const timeoutMs = options.lockTimeout ?? LOCK_TIMEOUT_DEFAULT_MS;
  const { locks } = place;
  const acquire =
    locks &&
    ((options: Pick<LockOptions, 'signal' | 'create'>) =>
      locks.acquire(location, { timeoutMs, onLost, ...options }));
  const lock = readOnly ? undefined : await acquire?.(signal ? { signal } : {});
  let storage: StorageBackend | undefined;
  let presence: HeldLock | undefined;
  try {
    checkNotAborted(signal);
    storage = await place.open();
    if (!readOnly) presence = await locks?.join?.(location);
    const attempt = () => recover(platform, storage!, events, options, care);
    // Nobody else replaces anything while the lock is held.
    engine = await (readOnly
      ? (await import('./on-demand.ts')).recoverUndisturbed(storage, attempt)
      : attempt());
    if (engine.journal.isNew) await place.tellCreated(storage.lost);
    if (options.archive && !readOnly) {
      const { Archiving } = await import('./on-demand.ts');
      engine.archiving = new Archiving(engine, options.archive);
      // Of a damaged one, the repair does.
      if (!engine.salvaged) await engine.archiving.open();
    }
    if (!readOnly) events.emit('role', { role: 'writer' });
    engine.lease = new ExclusiveLease(lock);
    // None beside a repair.
    if (acquire && storage.capabilities.sharedWrites && !engine.salvaged)
      // What has been removed meanwhile is not begun anew: what memory holds would not be in it.
      (await import('./on-demand.ts')).share(engine, lock, () => acquire({ create: false }));
    if (!engine.salvaged) engine.journal.announce();
    const { resultCache } = options;
    if (resultCache) {
      const { ResultCache } = await import('./on-demand.ts');
      const { memoryLimit } = engine;
      engine.resultCache = new ResultCache(resultCache, (bytes) => memoryLimit?.mayCache(bytes) ?? true);
    }
    const { yieldTurn } = platform;
    const bounded = options.memoryLimit === undefined ? care : careWithin(care, options.memoryLimit);
    const database = new LocalDatabase({ location, engine, place, presence, yieldTurn, care: bounded });
    if (engine.journal.state.collections.length > 0) (await import('./on-demand.ts')).indexIds(engine);
    if (options.verifyInterval !== undefined) await database.verifyEvery(options.verifyInterval);
    return database;
  } catch (error) {
    await storage?.close();
    await presence?.release();
    await lock?.release();
    throw error;
  }
}

/** From what is stored to an engine that has it all: files first, then the log's tail. */
async function recover(
  platform: Platform,
  storage: StorageBackend,
  events: Events,
  options: EngineOptions,
  { segmentBytesMax, segmentAgeMaxMs }: LogCare,
): Promise<Engine> {
  const { durability = 'strict', syncInterval, readOnly = false, checksum = 'crc32c', signal } = options;
  let made: Engine | undefined;
  const journalOptions: JournalOptions = {
    durability,
    syncIntervalMs: syncInterval ?? SYNC_INTERVAL_DEFAULT_MS,
    segmentBytesMax,
    segmentAgeMaxMs,
    readOnly,
    create: mayCreate(options),
    onWarning: (message) => events.emit('warning', { code: 'CORRUPTION', message }),
    onFailed: () => made?.dropStaged(),
    onFlushed: (sequence) => made?.tellFlushed(sequence),
  };
  const kernels = new Kernels(platform);
  await kernels.load('none');
  kernels.threads = await platform.loadThreads?.(options, events);
  const pause = () => new Promise<void>((resolve) => platform.yieldTurn(resolve));
  const makeEngine = (journal: Journal<DatabaseState>): Engine => {
    const writing = new WriteQueue(
      { ...QUEUE_LIMIT_DEFAULT, ...options.queueLimit },
      options.lockTimeout ?? LOCK_TIMEOUT_DEFAULT_MS,
      (pressure) => events.emit('queue', pressure),
    );
    made = new Engine({ storage, journal, kernels, events, writing, readOnly, checksum, pause });
    return made;
  };
  if (options.recovery === 'salvage') {
    const { openSalvaged } = await import('./on-demand.ts');
    const onProgress = (progress: Omit<Progress, 'phase'>) => {
      checkNotAborted(signal);
      events.emit('progress', { phase: 'verify', ...progress });
    };
    const salvaged = await openSalvaged({ storage, kernels, journalOptions, makeEngine, onProgress, pause });
    if (salvaged) return salvaged;
  }
  const journal = await Journal.open<DatabaseState>(storage, INITIAL_STATE, journalOptions);
  const engine = makeEngine(journal);
  if (options.memoryLimit !== undefined) {
    const { MemoryLimit } = await import('./on-demand.ts');
    engine.memoryLimit = new MemoryLimit(options.memoryLimit, engine);
  }
  await loadCollections(engine, signal);
  const tell = throttle((progress: Progress) => events.emit('progress', progress));
  const { replaying } = await import('./on-demand.ts');
  await journal.replay(
    replaying,
    ({ payload, sequence }) => {
      checkNotAborted(signal);
      return engine.collections.applyAll(decodeOperations(payload, `log entry ${sequence}`));
    },
    (done, total) => {
      if (done % PROGRESS_ENTRIES === 0 || done === total)
        engine.memoryLimit?.checkFits('what the log holds');
      tell({ phase: 'replay', done, total });
    },
  );
  return engine;
}

async function loadCollections(engine: Engine, signal: AbortSignal | undefined): Promise<void> {
  const { collections, nextCollectionId, receipts = [] } = engine.journal.state;
  engine.collections.nextCollectionId = nextCollectionId;
  engine.collections.receipts.restore(receipts);
  const total = collections.reduce((sum, { rowCount }) => sum + rowCount, 0);
  let done = 0;
  if (collections.length === 0) return;
  const { loadCollection } = await import('./on-demand.ts');
  for (const stored of collections) {
    engine.memoryLimit?.checkOpening(stored, engine.journal.files);
    const state = await loadCollection(engine, stored, engine.journal.files, (rows) => {
      checkNotAborted(signal);
      done += rows;
      engine.events.emit('progress', { phase: 'open', done, total });
    });
    engine.collections.set(stored.id, state);
  }
}

/** Entries of a log may be tiny; progress is told for one in so many, and at the end. */
const PROGRESS_ENTRIES = 64;

function throttle(tell: (progress: Progress) => void): (progress: Progress) => void {
  let count = 0;
  return (progress) => {
    if (count++ % PROGRESS_ENTRIES === 0 || progress.done >= progress.total) tell(progress);
  };
}

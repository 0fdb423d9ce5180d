import { checkNotAborted } from '../base/abort.ts';
import type { Progress } from '../base/api.ts';
import { Journal } from '../journal/journal.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { LocalDatabase } from './database.ts';
import { Engine } from './engine.ts';
import { Events } from './events.ts';
import { loadCollection } from './load-collection.ts';
import { LOG_CARE, type LogCare } from './log-care.ts';
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
  const lock = readOnly
    ? undefined
    : await place.locks?.acquire(location, { timeoutMs, onLost, ...(signal && { signal }) });
  let storage: StorageBackend | undefined;
  try {
    checkNotAborted(signal);
    storage = await place.open();
    engine = await recover(platform, storage, events, options, care);
    if (engine.journal.isNew) place.tellCreated();
    if (!readOnly) events.emit('role', { role: 'writer' });
    return new LocalDatabase({ location, engine, place, lock, yieldTurn: platform.yieldTurn, care });
  } catch (error) {
    await storage?.close();
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
  let engine: Engine | undefined;
  const [kernel, journal] = await Promise.all([
    platform.loadKernel(),
    Journal.open<DatabaseState>(storage, INITIAL_STATE, {
      durability,
      syncIntervalMs: syncInterval ?? SYNC_INTERVAL_DEFAULT_MS,
      segmentBytesMax,
      segmentAgeMaxMs,
      readOnly,
      create: mayCreate(options),
      onWarning: (message) => events.emit('warning', { code: 'CORRUPTION', message }),
      onFailed: () => engine?.dropStaged(),
      onFlushed: (sequence) => engine?.tellFlushed(sequence),
    }),
  ]);
  const writing = new WriteQueue(
    { ...QUEUE_LIMIT_DEFAULT, ...options.queueLimit },
    options.lockTimeout ?? LOCK_TIMEOUT_DEFAULT_MS,
    (pressure) => events.emit('queue', pressure),
  );
  engine = new Engine({ storage, journal, kernel, events, writing, readOnly, checksum });
  await loadCollections(engine, signal);
  const tell = throttle((progress: Progress) => events.emit('progress', progress));
  await journal.replay(
    ({ payload, sequence }) => {
      checkNotAborted(signal);
      for (const operation of decodeOperations(payload, `log entry ${sequence}`)) engine.apply(operation);
    },
    (done, total) => tell({ phase: 'replay', done, total }),
  );
  return engine;
}

async function loadCollections(engine: Engine, signal: AbortSignal | undefined): Promise<void> {
  const { collections, nextCollectionId, receipts = [] } = engine.journal.state;
  engine.nextCollectionId = nextCollectionId;
  engine.receipts.restore(receipts);
  const total = collections.reduce((sum, { rowCount }) => sum + rowCount, 0);
  let done = 0;
  for (const stored of collections) {
    const state = await loadCollection(engine, stored, (rows) => {
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

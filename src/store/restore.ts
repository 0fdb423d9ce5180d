/**
 * Builds a database as another one was after one of its writes: from its archive and from what its log still holds.
 * The new one begins its life as a log, which its first checkpoint takes in; its manifest comes last, so that one half
 * made is never taken for a whole one.
 */
import { checkNotAborted } from '../base/abort.ts';
import type { RestoreOptions, RestoreReport } from '../base/api.ts';
import { invalid } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import { AppendLog } from '../journal/append-log.ts';
import { type ArchivedFile, loadArchiveIndex } from '../journal/archive.ts';
import { readArchiveFile } from '../journal/archive-file.ts';
import type { Frame } from '../journal/frame.ts';
import { bytesPayload } from '../journal/frame.ts';
import { decodeManifest, encodeManifest, MANIFEST_NAME } from '../journal/manifest.ts';
import { replayLog } from '../journal/replay.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { LOG_CARE } from './log-care.ts';
import { INITIAL_STATE } from './manifest-state.ts';
import { openLocal } from './open.ts';
import { LOCK_TIMEOUT_DEFAULT_MS } from './open-options.ts';
import type { Platform } from './platform.ts';

/** It covers nothing: the whole log is to be replayed. */
const FIRST_MANIFEST = {
  generation: 0,
  coveredSequence: 0,
  writtenAt: 0,
  files: {},
  state: INITIAL_STATE,
};

interface Point {
  sequence: number;
  time: number;
}

/** Where to stop: before the first entry that is behind either. */
type Target = Point;

/** What there is to build from. */
interface History {
  base: ArchivedFile;
  /** Files behind the base, in order. */
  later: ArchivedFile[];
  /** The entries that no checkpoint has covered. */
  tail: Frame[];
}

/** As the public `restore`. */
export async function restoreLocal(
  platform: Platform,
  source: string,
  destination: string,
  { sequence, time, ...options }: RestoreOptions,
): Promise<RestoreReport> {
  const storage = options.storage ?? 'auto';
  const from = await platform.storage(storage, source);
  const reading = await from.provider.open(source, { create: false, readOnly: true });
  try {
    const target = {
      sequence: sequence ?? Number.POSITIVE_INFINITY,
      time: Number(time ?? Number.POSITIVE_INFINITY),
    };
    const history = await findUndisturbed(reading, source, target);
    const point = await build(platform, destination, options, (log) =>
      copyEntries(reading, history, target, log, options),
    );
    return { sequence: point.sequence, time: new Date(point.time) };
  } finally {
    await reading.close();
  }
}

/** A checkpoint made meanwhile moves entries from the log to the archive: then it is looked for once more. */
async function findUndisturbed(storage: StorageBackend, source: string, target: Target): Promise<History> {
  const before = await loadArchiveIndex(storage);
  try {
    return await findHistory(storage, source, target);
  } catch (error) {
    const after = await loadArchiveIndex(storage);
    if (before?.at(-1)?.name === after?.at(-1)?.name) throw error;
    return findUndisturbed(storage, source, target);
  }
}

/** @throws IsovecError NOT_FOUND without an archive; INVALID_ARGUMENT, naming the range, for a point outside it */
async function findHistory(storage: StorageBackend, source: string, target: Target): Promise<History> {
  const files = await loadArchiveIndex(storage);
  const archived = files?.at(-1);
  if (!files || !archived)
    throw new IsovecError('NOT_FOUND', `"${source}" has no archive: open it with the option archive`, {
      details: { location: source },
    });
  const { lastSequence, lastTime } = archived;
  // What lies within the archive is there whatever has become of the log.
  const isArchived = target.sequence <= lastSequence || target.time < lastTime;
  const tail = isArchived ? [] : await readTail(storage, lastSequence);
  const baseIndex = files.findLastIndex(
    (file) => file.kind === 'base' && file.lastSequence <= target.sequence && file.lastTime <= target.time,
  );
  const newest = tail.at(-1)?.sequence ?? lastSequence;
  const isBeyond = Number.isFinite(target.sequence) && target.sequence > newest;
  if (baseIndex < 0 || isBeyond) throw outOfRange(target, files[0]!, newest);
  return { base: files[baseIndex]!, later: files.slice(baseIndex + 1), tail };
}

function outOfRange(target: Target, oldest: ArchivedFile, newest: number): IsovecError {
  const path = Number.isFinite(target.sequence) ? 'sequence' : 'time';
  const since = new Date(oldest.lastTime);
  return new IsovecError(
    'INVALID_ARGUMENT',
    `${path} must be within what can be restored: sequences ${oldest.lastSequence} to ${newest}, since ${since.toISOString()}`,
    { details: { path, sequences: { oldest: oldest.lastSequence, newest }, since } },
  );
}

/** What the log holds behind the archive. */
async function readTail(storage: StorageBackend, archivedSequence: number): Promise<Frame[]> {
  const manifest = await storage.load(MANIFEST_NAME);
  const { coveredSequence } = decodeManifest(manifest ?? new Uint8Array());
  if (coveredSequence > archivedSequence) throw notArchived(archivedSequence + 1, coveredSequence);
  const frames: Frame[] = [];
  const ignore = () => {};
  const options = { readOnly: true, durable: 0, onWarning: ignore };
  const { segment } = await replayLog(
    storage,
    archivedSequence,
    options,
    (frame) => frames.push(frame),
    ignore,
  );
  await segment?.file.close();
  return frames;
}

/** @returns the point that has been reached */
async function copyEntries(
  storage: StorageBackend,
  { base, later, tail }: History,
  target: Target,
  append: (payload: Uint8Array) => Promise<unknown>,
  { signal, onProgress }: RestoreOptions,
): Promise<Point> {
  const point: Point = { sequence: base.lastSequence, time: base.lastTime };
  for await (const { payload } of readArchiveFile(storage, base.name, base.bytes)) {
    checkNotAborted(signal);
    await append(payload);
  }
  const total = later.length + 1;
  for await (const { frame, filesDone } of entriesBehind(storage, later, tail)) {
    checkNotAborted(signal);
    onProgress?.({ phase: 'import', done: filesDone, total });
    if (frame.sequence <= point.sequence) continue;
    if (point.sequence === target.sequence) return point;
    if (frame.sequence > point.sequence + 1) throw notArchived(point.sequence + 1, frame.sequence - 1);
    if (frame.sequence > target.sequence || frame.time > target.time) return point;
    await append(frame.payload);
    point.sequence = frame.sequence;
    point.time = frame.time;
  }
  // A later state is known that the entries did not lead to: what came between was not archived.
  const known = later.at(-1)?.lastSequence ?? point.sequence;
  if (known > point.sequence && point.sequence !== target.sequence)
    throw notArchived(point.sequence + 1, known);
  return point;
}

async function* entriesBehind(
  storage: StorageBackend,
  later: readonly ArchivedFile[],
  tail: readonly Frame[],
): AsyncGenerator<{ frame: Frame; filesDone: number }> {
  for (const [index, { name, bytes, kind }] of later.entries()) {
    if (kind === 'base') continue;
    for await (const frame of readArchiveFile(storage, name, bytes)) yield { frame, filesDone: index + 1 };
  }
  for (const frame of tail) yield { frame, filesDone: later.length + 1 };
}

function notArchived(first: number, last: number): IsovecError {
  return new IsovecError(
    'INVALID_ARGUMENT',
    `what was written from sequence ${first} to ${last} is not in the archive, which was off then`,
    { details: { path: 'sequence', notArchived: { first, last } } },
  );
}

/** @param fill appends the entries @returns what it returned, once the database is there and has a checkpoint */
async function build<T>(
  platform: Platform,
  destination: string,
  options: RestoreOptions,
  fill: (append: (payload: Uint8Array) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const { provider, locks } = await platform.storage(options.storage ?? 'auto', destination);
  const { signal, lockTimeout = LOCK_TIMEOUT_DEFAULT_MS } = options;
  const lock = await locks?.acquire(destination, { timeoutMs: lockTimeout, ...(signal && { signal }) });
  let result: T;
  try {
    const storage = await provider.open(destination, { create: true, readOnly: false });
    try {
      if ((await storage.list()).length > 0)
        throw invalid('destination', 'a place where no database is', destination);
      result = await writeLog(storage, fill);
    } finally {
      await storage.close();
    }
  } finally {
    await lock?.release();
  }
  const database = await openLocal(platform, destination, options);
  try {
    await database.checkpoint();
  } finally {
    await database.close();
  }
  return result;
}

async function writeLog<T>(
  storage: StorageBackend,
  fill: (append: (payload: Uint8Array) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const ignore = () => {};
  const { segmentBytesMax, segmentAgeMaxMs } = LOG_CARE;
  const log = new AppendLog(
    storage,
    { nextSequence: 1, lastTime: 0, sealed: [] },
    {
      durability: 'relaxed',
      syncIntervalMs: 1000,
      segmentBytesMax,
      segmentAgeMaxMs,
      onFailed: ignore,
      onFlushed: ignore,
    },
  );
  try {
    const result = await fill((payload) => log.append(bytesPayload(payload), ignore));
    await log.close();
    // Without an entry there is nothing to make whole: opening makes a database of an empty place.
    if (log.lastSequence > 0) await storage.replace(MANIFEST_NAME, encodeManifest(FIRST_MANIFEST));
    return result;
  } catch (error) {
    await log.close().catch(ignore);
    for (const name of await storage.list()) await storage.remove(name).catch(ignore);
    throw error;
  }
}

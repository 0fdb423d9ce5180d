import { checkNotAborted } from '../base/abort.ts';
import type { OpenOptions } from '../base/api.ts';
import { checkBoolean, checkInteger, checkKeys, checkObject, checkOneOf, invalid } from '../base/check.ts';
import type { StorageKind } from '../storage/storage.ts';

export const LOCK_TIMEOUT_DEFAULT_MS = 10_000;
/** Of writes waiting for their turn: more than any caller that waits now and then has. */
export const QUEUE_LIMIT_DEFAULT = { operations: 100_000, bytes: 512 * 1024 * 1024 };
/** The longest that a timer takes: some 24 days. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;
/** Verifying takes longer than this for all but the smallest databases. */
const VERIFY_INTERVAL_MIN_MS = 1000;
/** An empty collection takes a megabyte or two. */
const MEMORY_LIMIT_MIN_BYTES = 4 * 1024 * 1024;
/** The kernel has room for so many. */
const BUILD_THREADS_MAX = 15;
export const OPTION_KEYS = [
  'storage',
  'worker',
  'durability',
  'syncInterval',
  'readOnly',
  'create',
  'persist',
  'recovery',
  'checksum',
  'archive',
  'verifyInterval',
  'lockTimeout',
  'buildThreads',
  'queueLimit',
  'memoryLimit',
  'resultCache',
  'onProgress',
  'signal',
];

/** What a runtime adds to its caller's options. */
export interface EngineOptions extends OpenOptions {
  traces?: Traces;
}

/**
 * What outlives a database's files: since when, in milliseconds of the epoch, a database of this location has been known
 * in each kind of storage.
 */
export type Traces = Partial<Record<StorageKind, number>>;

/** @throws IsovecError INVALID_ARGUMENT, UNSUPPORTED */
export function checkOpenOptions(location: unknown, options: OpenOptions): asserts location is string {
  if (typeof location !== 'string' || location.length === 0 || location.includes('\0'))
    throw invalid('location', 'a string that is not empty', location);
  checkObject(options, 'options');
  checkKeys(options, OPTION_KEYS, 'options');
  const { storage, worker, durability, syncInterval, recovery, lockTimeout, onProgress, signal } = options;
  const { queueLimit, resultCache, memoryLimit, checksum, verifyInterval, buildThreads = 'auto' } = options;
  if (storage !== undefined)
    checkOneOf(storage, ['auto', 'opfs', 'indexeddb', 'fs', 'memory'], 'options.storage');
  if (worker !== undefined) checkOneOf(worker, ['auto', true, false], 'options.worker');
  if (durability !== undefined) checkOneOf(durability, ['strict', 'relaxed'], 'options.durability');
  if (syncInterval !== undefined) checkInteger(syncInterval, 1, TIMEOUT_MAX_MS, 'options.syncInterval');
  for (const key of ['readOnly', 'create', 'persist'] as const)
    if (options[key] !== undefined) checkBoolean(options[key], `options.${key}`);
  if (recovery !== undefined) checkOneOf(recovery, ['strict', 'salvage'], 'options.recovery');
  if (checksum !== undefined) checkOneOf(checksum, ['crc32c', 'sha256', 'blake3'], 'options.checksum');
  if (verifyInterval !== undefined)
    checkInteger(verifyInterval, VERIFY_INTERVAL_MIN_MS, TIMEOUT_MAX_MS, 'options.verifyInterval');
  if (memoryLimit !== undefined)
    checkInteger(memoryLimit, MEMORY_LIMIT_MIN_BYTES, Number.MAX_SAFE_INTEGER, 'options.memoryLimit');
  if (lockTimeout !== undefined) checkInteger(lockTimeout, 0, TIMEOUT_MAX_MS, 'options.lockTimeout');
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalid('options.onProgress', 'a function', onProgress);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalid('options.signal', 'an AbortSignal', signal);
  if (buildThreads !== 'auto') checkInteger(buildThreads, 0, BUILD_THREADS_MAX, 'options.buildThreads');
  checkBounds(queueLimit, ['operations', 'bytes'], 'options.queueLimit');
  if (typeof resultCache !== 'boolean') checkBounds(resultCache, ['entries', 'bytes'], 'options.resultCache');
  checkNotAborted(signal);
}

function checkBounds(bounds: object | undefined, keys: string[], path: string): void {
  if (bounds === undefined) return;
  checkObject(bounds, path);
  checkKeys(bounds, keys, path);
  for (const [key, bound] of Object.entries(bounds))
    if (bound !== undefined) checkInteger(bound, 1, Number.MAX_SAFE_INTEGER, `${path}.${key}`);
}

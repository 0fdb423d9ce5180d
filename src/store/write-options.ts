import { checkNotAborted } from '../base/abort.ts';
import type { TransactionOptions, WriteOptions } from '../base/api.ts';
import { checkKeys, checkObject, checkOneOf, invalid } from '../base/check.ts';

/** @throws IsovecError INVALID_ARGUMENT, ABORTED */
export function checkWriteOptions(options: WriteOptions = {}): WriteOptions {
  checkObject(options, 'options');
  checkKeys(options, ['priority', 'signal'], 'options');
  if (options.priority !== undefined)
    checkOneOf(options.priority, ['interactive', 'bulk'], 'options.priority');
  checkSignal(options.signal);
  return options;
}

/** @throws IsovecError INVALID_ARGUMENT, ABORTED */
export function checkTransaction(fn: unknown, options: TransactionOptions = {}): TransactionOptions {
  if (typeof fn !== 'function') throw invalid('fn', 'a function', fn);
  checkObject(options, 'options');
  checkKeys(options, ['signal'], 'options');
  checkSignal(options.signal);
  return options;
}

function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  if (!(signal instanceof AbortSignal)) throw invalid('options.signal', 'an AbortSignal', signal);
  checkNotAborted(signal);
}

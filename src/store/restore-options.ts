import type { RestoreOptions } from '../base/api.ts';
import { checkInteger, checkKeys, checkObject, invalid, unsupported } from '../base/check.ts';
import { checkOpenOptions, OPTION_KEYS } from './open-options.ts';

/** Options of `open` that make no sense here. */
const FOREIGN_KEYS = ['readOnly', 'recovery', 'create'];

/** @throws IsovecError INVALID_ARGUMENT, UNSUPPORTED */
export function checkRestoreOptions(source: unknown, destination: unknown, options: RestoreOptions): void {
  checkObject(options, 'options');
  const { sequence, time, ...rest } = options;
  checkKeys(
    rest,
    OPTION_KEYS.filter((key) => !FOREIGN_KEYS.includes(key)),
    'options',
  );
  checkOpenOptions(source, rest);
  checkOpenOptions(destination, rest);
  if (source === destination) throw invalid('destination', 'another place than source', destination);
  if (options.storage === 'memory')
    throw unsupported("storage 'memory', of which nothing is left to restore from,", 'options.storage');
  if (sequence !== undefined) checkInteger(sequence, 0, Number.MAX_SAFE_INTEGER, 'options.sequence');
  if (time !== undefined && !Number.isFinite(Number(time)))
    throw invalid('options.time', 'a Date, or milliseconds since 1970', time);
  if (sequence !== undefined && time !== undefined)
    throw invalid('options.time', 'left out beside options.sequence', time);
}

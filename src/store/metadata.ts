import type { Metadata } from '../base/api.ts';
import { invalid } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import { METADATA_DEPTH_MAX } from '../base/limits.ts';
import { isPlainObject } from '../base/plain.ts';
import { encodeUtf8 } from '../base/utf8.ts';

const EMPTY_BODY = Uint8Array.of(0x7b, 0x7d);

/**
 * Metadata as it is stored: JSON in UTF-8. Fields that are undefined are left out and a Date becomes its ISO 8601
 * string, as JSON.stringify does; whatever else JSON would change silently is refused.
 * @throws IsovecError INVALID_ARGUMENT, naming the path
 */
export function encodeMetadata(metadata: Metadata | undefined, path: string): Uint8Array {
  if (metadata === undefined) return EMPTY_BODY;
  checkRoot(metadata, path);
  checkJson(metadata, path, 0);
  return encodeUtf8(JSON.stringify(metadata));
}

/** Changes to metadata, encoded: a field to be removed, undefined or null, is null in it. */
export function encodeMetadataChanges(changes: Metadata, path: string): Uint8Array {
  checkRoot(changes, path);
  const entries = Object.entries(changes).map(([key, value]) => [key, value === undefined ? null : value]);
  return encodeMetadata(Object.fromEntries(entries), path);
}

function checkRoot(metadata: unknown, path: string): void {
  if (!isPlainObject(metadata)) throw invalid(path, 'a plain object', metadata);
}

function checkJson(value: unknown, path: string, depth: number): void {
  const refuse = (what: string) =>
    new IsovecError('INVALID_ARGUMENT', `${path} ${what}, which metadata cannot hold`, { details: { path } });
  if (depth > METADATA_DEPTH_MAX) throw refuse(`lies more than ${METADATA_DEPTH_MAX} levels deep`);
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean')
    return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refuse(`is ${value}`);
    return;
  }
  if (typeof value !== 'object') throw refuse(`is a ${typeof value}`);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refuse('is an invalid Date');
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) {
      if (element === undefined) throw refuse(`has no value at index ${index}`);
      if (!isPlain(element, depth)) checkJson(element, `${path}[${index}]`, depth + 1);
    }
    return;
  }
  if (!isPlainObject(value)) throw refuse(`is a ${value.constructor?.name ?? 'special object'}`);
  for (const key of Object.keys(value)) {
    const field = value[key];
    if (!isPlain(field, depth)) checkJson(field, `${path}.${key}`, depth + 1);
  }
}

/** What needs no further look, and so no path: most of all metadata. @param depth of what it is in */
function isPlain(value: unknown, depth: number): boolean {
  return depth < METADATA_DEPTH_MAX && (typeof value === 'string' || Number.isFinite(value));
}

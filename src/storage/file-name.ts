import { IsovecError } from '../base/errors.ts';

/**
 * How a name given by isovec or its user becomes the name of a file or folder on any file system.
 *
 * Kept as they are: a-z, 0-9, '-' and '_'. Every other UTF-8 byte becomes '%' and two hex digits, capitals too, for
 * some file systems do not tell them from small letters. So no encoded name holds a dot, which leaves names with dots
 * to the backends (`manifest.new`), and a file that somebody else put there (`.DS_Store`, `notes.txt`) is seen to be
 * foreign.
 */

/** File systems commonly allow 255 bytes; the rest is left for the backends' own endings. */
export const ENCODED_NAME_LENGTH_MAX = 240;

const KEPT = /[a-z0-9_-]/;
const CANONICAL = /^(?:[a-z0-9_-]|%[0-9a-f]{2})+$/;

/** Injective: different names never get the same encoding. */
export function percentEncode(name: string): string {
  let encoded = '';
  for (const byte of new TextEncoder().encode(name)) {
    const character = String.fromCharCode(byte);
    encoded += KEPT.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return encoded;
}

/** @throws IsovecError INVALID_ARGUMENT when the name is empty or too long */
export function encodeFileName(name: string): string {
  const encoded = percentEncode(name);
  if (encoded.length === 0 || encoded.length > ENCODED_NAME_LENGTH_MAX)
    throw new IsovecError(
      'INVALID_ARGUMENT',
      `a file name must take 1 to ${ENCODED_NAME_LENGTH_MAX} bytes when encoded, got ${encoded.length}: '${name}'`,
      { details: { name } },
    );
  return encoded;
}

/** @returns undefined for what `encodeFileName` never makes: a foreign file */
export function decodeFileName(encoded: string): string | undefined {
  if (!CANONICAL.test(encoded)) return undefined;
  try {
    const name = decodeURIComponent(encoded);
    return percentEncode(name) === encoded ? name : undefined;
  } catch {
    return undefined; // not UTF-8
  }
}

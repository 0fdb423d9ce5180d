/** Where a page of hits has ended, as text that means nothing to whoever keeps it. */

import { invalid } from '../../base/check.ts';
import { crc32c } from '../../base/crc32c.ts';
import { encodeUtf8 } from '../../base/utf8.ts';

export interface CursorPlace {
  /** Of the last hit. */
  score: number;
  id: string;
  /** How many hits there were up to it: a hint of how many to look at. */
  rank: number;
}

/** @param fingerprint of the query and its collection */
export function writeCursor({ score, id, rank }: CursorPlace, fingerprint: number): string {
  const bytes = encodeUtf8(JSON.stringify([fingerprint, score, id, rank]));
  const checksum = crc32c(bytes).toString(16).padStart(8, '0');
  return checksum + btoa(String.fromCharCode(...bytes));
}

/** @throws IsovecError INVALID_ARGUMENT when it is damaged, or of another query or collection */
export function readCursor(cursor: unknown, fingerprint: number): CursorPlace {
  if (typeof cursor !== 'string') throw invalid('query.cursor', 'the cursor of a page', cursor);
  const [known, score, id, rank] = decode(cursor);
  if (known !== fingerprint)
    throw invalid('query.cursor', 'of the same query to the same collection', 'that of another');
  return { score, id, rank };
}

function decode(cursor: string): [fingerprint: number, score: number, id: string, rank: number] {
  try {
    const bytes = Uint8Array.from(atob(cursor.slice(8)), (character) => character.charCodeAt(0));
    if (crc32c(bytes) === Number.parseInt(cursor.slice(0, 8), 16))
      return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Not even Base64.
  }
  throw invalid('query.cursor', 'the cursor of a page, unchanged', cursor);
}

/** What is there before a database's first manifest is, and what must not be. */
import type { StorageBackend } from '../storage/storage.ts';
import { MANIFEST_COPY_NAME } from './manifest.ts';
import { createSegment, parseSegmentName, SEGMENT_HEADER_BYTES } from './segment.ts';

/** Names of data files start so; the sweep touches nothing else, least of all what is not ours. */
export const DATA_FILE_PREFIX = 'data-';

/** Of the first entry of a database. */
const FIRST_SEQUENCE = 1;

/** Every manifest counts on the segment behind what it covers; the first one, too. */
export async function createFirstSegment(storage: StorageBackend): Promise<void> {
  await (await createSegment(storage, FIRST_SEQUENCE)).close();
}

/** What a lost manifest would have spoken of. A segment without entries alone was left by a creation that never finished. */
export async function findOrphans(storage: StorageBackend): Promise<string[]> {
  const orphans: string[] = [];
  for (const name of await storage.list()) {
    const firstSequence = parseSegmentName(name);
    if (firstSequence === FIRST_SEQUENCE && (await sizeOf(storage, name)) <= SEGMENT_HEADER_BYTES) continue;
    if (name === MANIFEST_COPY_NAME || name.startsWith(DATA_FILE_PREFIX) || firstSequence !== undefined)
      orphans.push(name);
  }
  return orphans;
}

export async function sizeOf(storage: StorageBackend, name: string): Promise<number> {
  const file = await storage.open(name);
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}

/** Segments of a text index as files: each checkpoint writes one, of what has come and of small ones before it. */
import { IsovecError } from '../../base/errors.ts';
import type { LiveFile } from '../../journal/manifest.ts';
import type { StorageFile } from '../../storage/storage.ts';
import { dataFileName } from '../../tables/data-header.ts';
import { type Merging, mergeSegments } from '../../text/merge-segments.ts';
import { Postings } from '../../text/postings.ts';
import { Segment } from '../../text/segment.ts';
import type { SegmentRows } from '../../text/segment-format.ts';
import { SegmentWriter } from '../../text/segment-writer.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Engine } from '../engine.ts';
import { GrowingFile } from '../growing-file.ts';
import type { StoredSegment } from '../manifest-state.ts';
import { openSegment } from './open-segment.ts';
import { type Part, TextIndex } from './text-index.ts';

/**
 * A stored segment is written anew with what has come when that has a half or more of its rows: so there are few (each
 * has more than twice the rows of the next), and a row is written as often as the logarithm of their number.
 */
const MERGED_ROWS_RATIO = 2;

export interface StoredText {
  segments: StoredSegment[];
  /** Makes memory say so too. */
  finish: () => void;
  /** Lets go of files that the manifest names no more. */
  release: () => Promise<void>;
}

/**
 * Reads all of a segment.
 * @param pause lets others have a turn
 * @throws IsovecError CORRUPTION
 */
export async function checkSegment(
  file: Pick<StorageFile, 'name' | 'read'>,
  { bytes, firstRow, rowCount }: StoredSegment,
  pause: () => Promise<void>,
): Promise<void> {
  const { name } = file;
  const read = (offset: number, length: number) => file.read(offset, length);
  const segment = await Segment.open({ name, bytes, read }, { firstRow, rowCount });
  const lengths = await segment.readLengths();
  const counted = new Uint32Array(rowCount);
  const postings = new Postings();
  for (let block = 0; block < segment.blockCount; block++) {
    await pause();
    const payload = await segment.readBlock(block);
    for (const { at } of segment.termsOf(block)) {
      postings.clear();
      segment.readPostings(at, payload, postings);
      for (let index = 0; index < postings.count; index++)
        counted[postings.rows[index]! - firstRow]! += postings.frequencies[index]!;
    }
  }
  const wrong = lengths.findIndex((length, row) => counted[row]! > length);
  if (wrong >= 0)
    throw new IsovecError(
      'CORRUPTION',
      `${name}: row ${firstRow + wrong} has more terms than its length says`,
    );
}

/** The collection's text index: there is one once it has been asked for. */
export function textIndexOf(engine: Engine, state: CollectionState): TextIndex {
  if (!state.text?.isCurrent) state.text = new TextIndex(engine, state);
  return state.text;
}

/** Damage is found once, and then there is nothing damaged left. */
const ATTEMPTS_MAX = 2;

/**
 * Stores the rows up to `endRow` that are not stored yet.
 * @param live receives the files
 */
export async function storeText(
  engine: Engine,
  state: CollectionState,
  endRow: number,
  live: Record<string, LiveFile>,
): Promise<StoredText> {
  const index = textIndexOf(engine, state);
  for (let attempt = 1; ; attempt++) {
    await index.catchUp(() => endRow);
    const { kept, merged } = choose(index, endRow);
    const firstRow = kept.at(-1)?.endRow ?? 0;
    const rows = { firstRow, rowCount: endRow - firstRow };
    const lengths = index.lengths.slice(firstRow, endRow);
    const merging = { sources: merged, endRow, rest: () => index.rest() };
    try {
      const written =
        rows.rowCount > 0 &&
        (await index.reading(() => writeSegment(engine, state, { rows, lengths, merging }, live)));
      return await stored(engine, state, index, kept, written || undefined, live);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
      index.startOver(firstRow, error);
    }
  }
}

/**
 * Stores what a text index says, in other numbers: `rowCount` of them.
 * @param rowOf of a row of the index, -1 where it is left out
 * @param endRow rows of the index up to here
 */
export async function storeRenumbered(
  engine: Engine,
  state: CollectionState,
  { endRow, rowCount, rowOf }: { endRow: number; rowCount: number; rowOf: (row: number) => number },
  live: Record<string, LiveFile>,
): Promise<StoredSegment[]> {
  const index = textIndexOf(engine, state);
  for (let attempt = 1; ; attempt++) {
    await index.catchUp(() => endRow);
    const lengths = new Uint32Array(rowCount);
    for (let row = 0; row < endRow; row++) {
      const to = rowOf(row);
      if (to >= 0) lengths[to] = index.lengths.values[row]!;
    }
    const rows = { firstRow: 0, rowCount };
    const merging = { sources: index.parts, endRow, rowOf, rest: () => index.rest() };
    try {
      return [await index.reading(() => writeSegment(engine, state, { rows, lengths, merging }, live))];
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
      index.startOver(0, error);
    }
  }
}

/** Which stored segments stay, and what becomes a new one. */
function choose(index: TextIndex, endRow: number): { kept: Part[]; merged: Part[] } {
  const kept = index.parts.filter((part) => index.storedOf(part));
  const merged = index.parts.slice(kept.length);
  let rowCount = endRow - (kept.at(-1)?.endRow ?? 0);
  for (let last = kept.at(-1); rowCount > 0 && last; last = kept.at(-1)) {
    const lastCount = last.endRow - last.firstRow;
    if (lastCount > rowCount * MERGED_ROWS_RATIO) break;
    rowCount += lastCount;
    merged.unshift(last);
    kept.pop();
  }
  return { kept, merged };
}

async function writeSegment(
  engine: Engine,
  { id, files }: CollectionState,
  { rows, lengths, merging }: { rows: SegmentRows; lengths: Uint32Array; merging: Merging },
  live: Record<string, LiveFile>,
): Promise<StoredSegment> {
  const identity = { collectionId: id, kind: 'text', number: engine.journal.generation + 1 } as const;
  const name = dataFileName(identity);
  // Of an attempt that has failed.
  await files.letGo([name]);
  const file = await engine.storage.open(name, { create: true });
  try {
    const growing = await GrowingFile.open(file, identity, undefined, engine.checksum);
    const writer = new SegmentWriter(rows, (bytes) => growing.write(bytes));
    await mergeSegments(merging, writer);
    await writer.finish(lengths);
    live[name] = await growing.finish();
    return { file: name, ...rows, bytes: growing.bytes };
  } finally {
    await file.close();
  }
}

async function stored(
  engine: Engine,
  state: CollectionState,
  index: TextIndex,
  kept: readonly Part[],
  written: StoredSegment | undefined,
  live: Record<string, LiveFile>,
): Promise<StoredText> {
  const staying = kept.map((part) => ({ segment: part as Segment, stored: index.storedOf(part)! }));
  for (const { stored: each } of staying) live[each.file] = engine.journal.files[each.file]!;
  if (written) staying.push({ segment: await openSegment(state.files, written), stored: written });
  const segments = staying.map(({ stored: each }) => each);
  const dropped = state.textFilesBeside(segments);
  return {
    segments,
    finish: () => {
      state.storedText = segments;
      index.replaceStored(staying);
    },
    release: async () => {
      await index.whenRead();
      await state.files.letGo(dropped);
    },
  };
}

/**
 * Payload indexes of collections. An index takes in the rows that it lacks when it is next wanted, by a filter or by a
 * checkpoint: writes do not wait for it.
 */
import type { Fields } from '../base/api.ts';
import type { LiveFile } from '../journal/manifest.ts';
import { encodePayloadBlock, ROWS_PER_BLOCK, readPayloadBlock } from '../payload/payload-file.ts';
import { PayloadIndex } from '../payload/payload-index.ts';
import type { StorageFile } from '../storage/storage.ts';
import { checkDataHeader, DATA_HEADER_BYTES } from '../tables/data-header.ts';
import { decodeMetadata } from './body.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { appendDerived, type GrowingFile } from './growing-file.ts';
import type { StoredPayload } from './manifest-state.ts';
import { Slices } from './slices.ts';

/** Records held in memory that are taken in between looks at the clock. */
const ROWS_PER_LOOK = 16;

/** @returns undefined where no fields are indexed */
export function payloadOf(state: CollectionState): PayloadIndex | undefined {
  const { fields } = state.config;
  if (fields) state.payload ??= new PayloadIndex(fields);
  return state.payload;
}

/** Takes in the next rows: a block of those in files, or those in memory until the slice is over. */
export async function takeInNext(state: CollectionState, index: PayloadIndex, slices: Slices): Promise<void> {
  await slices.rest();
  const { rows, files, tail } = state;
  const first = index.rowCount;
  if (first >= tail.firstRow) {
    while (index.rowCount < tail.endRow && (index.rowCount % ROWS_PER_LOOK !== 0 || !slices.isOver))
      takeInHeld(state, index);
    return;
  }
  if (!rows.isLive(first)) {
    index.push(undefined);
    return;
  }
  const bodies = await files.read(() => files.bodiesFrom(first));
  // Somebody else may have taken them in meanwhile, or a compaction given them other numbers.
  if (state.rows !== rows || index.rowCount !== first) return;
  for (const [at, body] of bodies.entries())
    index.push(rows.isLive(first + at) ? decodeMetadata(body) : undefined);
}

/** The next row, whose record is in memory. */
function takeInHeld({ tail }: CollectionState, index: PayloadIndex): void {
  const record = tail.get(index.rowCount);
  index.push(record && decodeMetadata(record.body));
}

/** Takes in all rows up to one. */
export async function takeIn(
  state: CollectionState,
  index: PayloadIndex,
  endRow: number,
  pause: () => Promise<void>,
): Promise<void> {
  const slices = new Slices(pause);
  while (index.rowCount < endRow) await takeInNext(state, index, slices);
}

/** Before a compaction renumbers the rows, in its turn. What an index lacks of rows that are in files, it has to be made anew for. */
export function renumberPayload(state: CollectionState, newRows: Uint32Array): void {
  const { payload: index, tail, rows } = state;
  if (!index) return;
  if (index.rowCount < tail.firstRow) {
    state.payload = undefined;
    return;
  }
  while (index.rowCount < rows.rowCount) takeInHeld(state, index);
  index.renumber(newRows);
}

/**
 * Appends the rows that are not stored yet, or begins a new file where other fields are, or the one before is damaged.
 * @param before what the manifest names, if its rows have the same numbers
 * @param live receives the file
 */
export async function storePayload(
  engine: Engine,
  state: CollectionState,
  { index, endRow }: { index: PayloadIndex; endRow: number },
  before: StoredPayload | undefined,
  live: Record<string, LiveFile>,
): Promise<StoredPayload> {
  await takeIn(state, index, endRow, engine.pause);
  const { fields } = index;
  const kept =
    before && areSame(before.fields, fields) && before.file !== index.damagedFile ? before : undefined;
  const write = async (file: GrowingFile, firstRow: number) => {
    const slices = new Slices(engine.pause);
    for (let row = firstRow; row < endRow; row += ROWS_PER_BLOCK) {
      await file.write(encodePayloadBlock(index, row, Math.min(row + ROWS_PER_BLOCK, endRow)));
      await slices.rest();
    }
  };
  const rows = { collectionId: state.id, kind: 'payload', endRow } as const;
  return { ...(await appendDerived(engine, rows, kept, write, live)), fields };
}

/** @throws IsovecError CORRUPTION, FORMAT_VERSION */
export async function readPayload(
  file: StorageFile,
  { rowCount, fields }: StoredPayload,
): Promise<PayloadIndex> {
  checkDataHeader(await file.read(0, DATA_HEADER_BYTES), 'payload', file.name);
  const index = new PayloadIndex(fields);
  const read = (offset: number, length: number) => file.read(offset, length);
  for (let offset = DATA_HEADER_BYTES; index.rowCount < rowCount; )
    offset += await readPayloadBlock(index, file.name, offset, read);
  return index;
}

/** In the same order, too: so columns are stored. */
export function areSame(a: Fields | undefined, b: Fields | undefined): boolean {
  return JSON.stringify(a ?? {}) === JSON.stringify(b ?? {});
}

/** The codes of a quantised collection on storage: opening reads them instead of its vectors, a quarter or less. */
import type { LiveFile } from '../journal/manifest.ts';
import type { Calibration } from '../search/calibration.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import type { StorageFile } from '../storage/storage.ts';
import { decodeCodes, encodeCodesBlocks } from '../tables/codes-file.ts';
import { checkDataHeader, DATA_HEADER_BYTES } from '../tables/data-header.ts';
import { plainChecksums } from '../tables/piece-checksums.ts';
import type { Engine } from './engine.ts';
import { roomsOf } from './graph-pages.ts';
import { appendDerived, type GrowingFile } from './growing-file.ts';
import type { StoredCodes } from './manifest-state.ts';

export interface CodesSnapshot {
  collectionId: number;
  index: VectorIndex;
  /** Rows up to here are stored. */
  endRow: number;
}

/**
 * Appends the codes that are not stored yet, or begins a new file where those stored are of another making.
 * @param before what the manifest names, if its rows have the same numbers and its codes are of the same kind
 * @param live receives the file
 */
export async function storeCodes(
  engine: Engine,
  { collectionId, index, endRow }: CodesSnapshot,
  before: StoredCodes | undefined,
  live: Record<string, LiveFile>,
): Promise<StoredCodes> {
  const { calibration, codeBytes } = index;
  const kept = before && isSame(before.calibration, calibration) ? before : undefined;
  const codeOf = (row: number) => (index.has(row) ? index.readCode(row) : undefined);
  const write = async (file: GrowingFile, firstRow: number) => {
    for (const block of encodeCodesBlocks(codeOf, codeBytes, firstRow, endRow)) await file.write(block);
  };
  const stored = await appendDerived(engine, { collectionId, kind: 'codes', endRow }, kept, write, live);
  return { ...stored, ...(calibration && { calibration }) };
}

/**
 * Reads codes of rows from 0 on, as many as are stored.
 * @param end of what counts of the file
 * @param take receives the codes of consecutive rows, end to end, to be used at once
 * @throws IsovecError CORRUPTION, FORMAT_VERSION; what has been taken by then is intact
 */
export async function readCodes(
  file: StorageFile,
  end: number,
  { rowCount }: StoredCodes,
  index: VectorIndex,
  take: (codes: Uint8Array) => void,
): Promise<void> {
  checkDataHeader(await file.read(0, DATA_HEADER_BYTES), 'codes', file.name);
  const { codeBytes, checksums = plainChecksums } = index;
  const what = { file: file.name, end, rowCount, codeBytes, checksums, roomOf: roomsOf(index, end) };
  for await (const codes of decodeCodes((...wanted) => file.read(...wanted), what)) take(codes);
}

function isSame(a: Calibration | undefined, b: Calibration | undefined): boolean {
  return a?.clip === b?.clip;
}

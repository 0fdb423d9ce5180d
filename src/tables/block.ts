/**
 * Ids and records are stored in blocks; each block is checked as a whole before it is believed.
 *
 *   0  4  checksum  CRC32C of everything after it
 *   4  4  length    of the payload, in bytes
 *   8  4  kind      of the block: see BLOCK_KINDS
 *  12  4  first row
 *  16  4  row count
 *  20     payload
 */
import { ByteReader } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';

export const BLOCK_HEADER_BYTES = 20;

export const BLOCK_KINDS = {
  ids: 1,
  extents: 2,
  deaths: 3,
  records: 4,
  codes: 5,
  pages: 6,
  image: 7,
  postings: 9,
  terms: 10,
  lengths: 11,
  segment: 12,
  payload: 8,
} as const;

export type BlockKind = keyof typeof BLOCK_KINDS;

export interface BlockHeader {
  checksum: number;
  payloadBytes: number;
  /** As in BLOCK_KINDS, if it is one of them. */
  kind: number;
  firstRow: number;
  rowCount: number;
}

/** A block that has been checked. */
export interface Block extends BlockHeader {
  /** In its file. */
  offset: number;
  payload: Uint8Array;
}

export function decodeBlockHeader(bytes: Uint8Array, source: string): BlockHeader {
  const reader = new ByteReader(bytes, source);
  return {
    checksum: reader.u32(),
    payloadBytes: reader.u32(),
    kind: reader.u32(),
    firstRow: reader.u32(),
    rowCount: reader.u32(),
  };
}

/** @param bytes the whole block, header first @param checksum makes a CRC32C */
export function isBlockIntact(
  header: BlockHeader,
  bytes: Uint8Array,
  checksum: (bytes: Uint8Array) => number = crc32c,
): boolean {
  const end = BLOCK_HEADER_BYTES + header.payloadBytes;
  return end <= bytes.length && checksum(bytes.subarray(4, end)) === header.checksum;
}

/** @param what is wrong with the block, as the rest of a sentence */
export function corruptBlock(file: string, offset: number, what: string): IsovecError {
  return new IsovecError('CORRUPTION', `${file}: the block at byte ${offset} ${what}`, {
    details: { file, offset },
  });
}

/**
 * @param bytes the whole block, header first
 * @param offset of the block in its file, for the error
 * @returns the payload, checked
 */
export function checkBlock(
  header: BlockHeader,
  bytes: Uint8Array,
  file: string,
  offset: number,
  checksum?: (bytes: Uint8Array) => number,
): Uint8Array {
  if (!isBlockIntact(header, bytes, checksum))
    throw corruptBlock(file, offset, 'does not match its checksum');
  return bytes.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + header.payloadBytes);
}

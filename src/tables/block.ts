/**
 * Ids and records are stored in blocks of consecutive rows; each block is checked as a whole before it is believed.
 *
 *   0  4  checksum  CRC32C of everything after it
 *   4  4  length    of the payload, in bytes
 *   8  4  first row
 *  12  4  row count, at least 1
 *  16     payload
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';

export const BLOCK_HEADER_BYTES = 16;

export interface BlockHeader {
  checksum: number;
  payloadBytes: number;
  firstRow: number;
  rowCount: number;
}

export function encodeBlock(
  firstRow: number,
  rowCount: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(BLOCK_HEADER_BYTES + payload.length)
    .u32(0)
    .u32(payload.length)
    .u32(firstRow)
    .u32(rowCount)
    .raw(payload);
  writer.patchU32(0, crc32c(writer.bytes().subarray(4)));
  return writer.bytes();
}

export function decodeBlockHeader(bytes: Uint8Array, source: string): BlockHeader {
  const reader = new ByteReader(bytes, source);
  return {
    checksum: reader.u32(),
    payloadBytes: reader.u32(),
    firstRow: reader.u32(),
    rowCount: reader.u32(),
  };
}

/**
 * @param bytes the whole block, header first
 * @param offset of the block in its file, for the error
 * @returns the payload, checked
 */
export function checkBlock(header: BlockHeader, bytes: Uint8Array, file: string, offset: number): Uint8Array {
  if (crc32c(bytes.subarray(4, BLOCK_HEADER_BYTES + header.payloadBytes)) !== header.checksum)
    throw new IsovecError('CORRUPTION', `${file}: the block at byte ${offset} does not match its checksum`, {
      details: { file, offset },
    });
  return bytes.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + header.payloadBytes);
}

import { crc32cWithin, joinCrc32c } from '../base/crc32c.ts';

/** Of as many bytes at a time. */
export const CHECKSUM_BYTES_MAX = 64 * 1024;
/** And as many pieces. */
export const CHECKSUM_PIECES_MAX = 128;

/**
 * CRC32C of each piece of so many bytes, the last of what is left.
 * @param bytes up to CHECKSUM_BYTES_MAX, and CHECKSUM_PIECES_MAX pieces
 * @returns may be a view that holds until the next call
 */
export type PieceChecksums = (bytes: Uint8Array, pieceBytes: number) => Uint32Array;

/** Where nothing is faster. Of pieces whose length is a multiple of four, at an offset that is one. */
export const plainChecksums: PieceChecksums = (bytes, pieceBytes) => {
  const { buffer, byteOffset, length } = bytes;
  const start = byteOffset & 3;
  const all = new Uint8Array(buffer, byteOffset - start, start + length);
  const words = new Int32Array(buffer, byteOffset - start, all.length >>> 2);
  const checksums = new Uint32Array(Math.ceil(length / pieceBytes));
  for (let at = 0; at < checksums.length; at++) {
    const from = start + at * pieceBytes;
    checksums[at] = crc32cWithin(all, words, from, Math.min(from + pieceBytes, all.length), 0);
  }
  return checksums;
};

/** Of bytes as a whole, however many. */
export function checksumOf(bytes: Uint8Array, checksums: PieceChecksums): number {
  let checksum = 0;
  for (let start = 0; start < bytes.length; start += CHECKSUM_BYTES_MAX) {
    const piece = bytes.subarray(start, start + CHECKSUM_BYTES_MAX);
    checksum = joinCrc32c(checksum, checksums(piece, CHECKSUM_BYTES_MAX)[0]!, piece.length);
  }
  return checksum;
}

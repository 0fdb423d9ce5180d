/** What is done to vectors files seldom: see vectors-file.ts. */
import type { ByteWriter } from '../base/bytes.ts';
import { crc32c, joinCrc32c } from '../base/crc32c.ts';
import { DIMENSIONS_MAX } from '../base/limits.ts';
import { vectorChecksum, vectorStrideBytes } from './vectors-file.ts';

export interface StoredVector {
  vector: Float32Array;
  /** Of the vector, where it is known. */
  checksum: number | undefined;
}

/**
 * @param vectorOf undefined for a row that is dead: zeros are stored
 * @param writer is emptied first
 * @returns the checksum of all that has been written
 */
export function writeVectors(
  writer: ByteWriter,
  vectorOf: (row: number) => StoredVector | undefined,
  dimensions: number,
  firstRow: number,
  rowCount: number,
): number {
  const none = new Float32Array(dimensions);
  const dead = { vector: none, checksum: vectorChecksum(none) };
  let all = 0;
  writer.clear();
  for (let row = firstRow; row < firstRow + rowCount; row++) {
    const { vector, checksum = vectorChecksum(vector) } = vectorOf(row) ?? dead;
    writer.f32s(vector).u32(checksum);
    all = writer.checksum(writer.length - 4, writer.length, joinCrc32c(all, checksum, vector.byteLength));
  }
  return all;
}

/** No longer is the first row. */
export const FIRST_VECTOR_BYTES_MAX = vectorStrideBytes(DIMENSIONS_MAX);

/**
 * How many dimensions a file of vectors has, where nothing else says so: its first row ends where its checksum stands.
 * @param bytes what follows the header, FIRST_VECTOR_BYTES_MAX of them or all there are
 * @returns undefined if the first row is damaged
 */
export function findDimensions(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let checksum = 0;
  for (let end = 4; end + 4 <= Math.min(bytes.length, FIRST_VECTOR_BYTES_MAX); end += 4) {
    checksum = crc32c(bytes.subarray(end - 4, end), checksum);
    if (checksum === view.getUint32(end, true)) return end / 4;
  }
  return undefined;
}

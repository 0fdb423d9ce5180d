/**
 * The vectors file: after the header, one fixed-size row per record: its float32 values as given, then the CRC32C
 * of their bytes. Row r starts at DATA_HEADER_BYTES + r * stride. Append-only between compactions.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { crc32c, joinCrc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';
import { DIMENSIONS_MAX } from '../base/limits.ts';
import { DATA_HEADER_BYTES } from './data-header.ts';

export function vectorStrideBytes(dimensions: number): number {
  return dimensions * 4 + 4;
}

export function vectorOffset(row: number, dimensions: number): number {
  return DATA_HEADER_BYTES + row * vectorStrideBytes(dimensions);
}

/** The CRC32C of a vector's bytes: what follows them in the file. */
export function vectorChecksum({ buffer, byteOffset, byteLength }: Float32Array): number {
  return crc32c(new Uint8Array(buffer, byteOffset, byteLength));
}

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

/**
 * @param bytes whole rows, at an offset in their buffer that is a multiple of four
 * @returns a view for each row, checked
 */
export function decodeVectors(
  bytes: Uint8Array<ArrayBuffer>,
  dimensions: number,
  firstRow: number,
  file: string,
): Float32Array<ArrayBuffer>[] {
  return salvageVectors(bytes, dimensions).map((vector, index) => {
    if (vector) return vector;
    const row = firstRow + index;
    const offset = vectorOffset(row, dimensions);
    throw new IsovecError(
      'CORRUPTION',
      `${file}: the vector of row ${row} at byte ${offset} does not match its checksum`,
      { details: { file, offset, row } },
    );
  });
}

/** As `decodeVectors`, with undefined for a row that does not match its checksum. */
export function salvageVectors(
  bytes: Uint8Array<ArrayBuffer>,
  dimensions: number,
): (Float32Array<ArrayBuffer> | undefined)[] {
  const stride = vectorStrideBytes(dimensions);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vectors: (Float32Array<ArrayBuffer> | undefined)[] = [];
  for (let start = 0; start < bytes.length; start += stride) {
    const checked = bytes.subarray(start, start + stride - 4);
    const isIntact = crc32c(checked) === view.getUint32(start + stride - 4, true);
    vectors.push(isIntact ? new Float32Array(bytes.buffer, bytes.byteOffset + start, dimensions) : undefined);
  }
  return vectors;
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

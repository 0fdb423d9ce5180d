/**
 * The vectors file: after the header, one fixed-size row per record: its float32 values as given, then the CRC32C
 * of their bytes. Row r starts at DATA_HEADER_BYTES + r * stride. Append-only between compactions.
 */
import { crc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';
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

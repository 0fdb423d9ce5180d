/**
 * How far the log can be relied on, for those who read it while somebody else writes: what lies behind may be half
 * written, or be cut off again. Told when entries are durable, and after a checkpoint; a hint, and never needed under
 * the lock.
 *
 *   0  8  generation of the manifest
 *   8  8  sequence of the last durable entry
 *  16  4  CRC32C of the 16 bytes before
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import type { SharedCell } from '../storage/storage.ts';

export const WATERMARK_NAME = 'watermark';

const CHECKED_BYTES = 16;

export interface Watermark {
  generation: number;
  sequence: number;
}

export function writeWatermark(cell: SharedCell, { generation, sequence }: Watermark): void {
  const writer = new ByteWriter(CHECKED_BYTES + 4).u64(generation).u64(sequence);
  cell.write(writer.u32(crc32c(writer.bytes())).bytes());
}

/** @returns undefined when there is none, or it is being written */
export function readWatermark(cell: SharedCell): Watermark | undefined {
  const bytes = cell.read();
  if (bytes.length !== CHECKED_BYTES + 4) return undefined;
  const reader = new ByteReader(bytes, WATERMARK_NAME);
  const watermark = { generation: reader.u64(), sequence: reader.u64() };
  return reader.u32() === crc32c(bytes.subarray(0, CHECKED_BYTES)) ? watermark : undefined;
}

/**
 * How far the log can be relied on, for those who read it while somebody else writes: what lies behind may be half
 * written, or be cut off again. Told when entries are durable, and after a checkpoint.
 *
 * Never needed, for it is never flushed and may be lost or old after a crash. But it is never told before the entries that
 * it speaks of have been flushed, so it is evidence: what the log lacks of them is damage, not a write that never finished.
 * One of an older generation than the manifest is none: a repair may have given up entries since.
 *
 *   0  8  generation of the manifest
 *   8  8  sequence of the last durable entry
 *  16  4  CRC32C of the 16 bytes before
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import type { SharedCell, StorageBackend } from '../storage/storage.ts';

export const WATERMARK_NAME = 'watermark';

const CHECKED_BYTES = 16;

export interface Watermark {
  generation: number;
  sequence: number;
}

/** Only where several may write does anybody tell. */
export function watermarkOf(storage: StorageBackend): SharedCell | undefined {
  return storage.capabilities.sharedWrites ? storage.cell?.(WATERMARK_NAME) : undefined;
}

/** @returns up to which sequence entries are known to have been on the device; 0 where nothing says so */
export function durableSequence(cell: SharedCell | undefined, generation: number): number {
  const watermark = cell && readWatermark(cell);
  return watermark && watermark.generation >= generation ? watermark.sequence : 0;
}

export function writeWatermark(cell: SharedCell, { generation, sequence }: Watermark): void {
  const writer = new ByteWriter(CHECKED_BYTES + 4).u64(generation).u64(sequence);
  cell.write(writer.u32(crc32c(writer.bytes())).bytes());
}

/** @returns undefined when there is none, or it is being written */
export function readWatermark(cell: SharedCell): Watermark | undefined {
  return decodeWatermark(cell.read());
}

/** @returns undefined when there is none, or it was being written */
export function decodeWatermark(bytes: Uint8Array): Watermark | undefined {
  if (bytes.length !== CHECKED_BYTES + 4) return undefined;
  const checksum = new ByteReader(bytes.subarray(CHECKED_BYTES), WATERMARK_NAME).u32();
  if (checksum !== crc32c(bytes.subarray(0, CHECKED_BYTES))) return undefined;
  const reader = new ByteReader(bytes, WATERMARK_NAME);
  return { generation: reader.u64(), sequence: reader.u64() };
}

/**
 * A frame is the unit of the log: wholly there or not there.
 *
 *   0  4  checksum   CRC32C of everything after it, header and payload
 *   4  4  length     of the payload, in bytes
 *   8  8  sequence   consecutive over the whole life of the database
 *  16  8  time       milliseconds since 1970, when it was appended
 *  24  4  unflushed  frames before this one that were not known to be on the device when it was written. Tells a torn
 *                    tail (nothing promised) from damage (a promise broken): see segment.ts.
 *  28  4  zero
 *  32     payload    opaque here
 */
import { ByteReader, type ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { assert } from '../base/errors.ts';
import { BATCH_BYTES_MAX } from '../base/limits.ts';

export const FRAME_HEADER_BYTES = 32;

/** Receives frames in order of sequence. What it returns is awaited before the next one is read. */
export type Deliver = (frame: Frame) => unknown;

export interface FrameHeader {
  checksum: number;
  length: number;
  sequence: number;
  time: number;
  unflushed: number;
}

export interface Frame extends FrameHeader {
  payload: Uint8Array;
}

/** What an entry is to hold: written straight into its frame, by whoever knows what the bytes mean. */
export interface Payload {
  /** In bytes. */
  readonly length: number;
  /**
   * Writes so many bytes behind what the writer holds.
   * @param previous the checksum of what comes before them
   * @returns the checksum with them
   */
  write(writer: ByteWriter, previous: number): number;
}

/** Bytes as they are. */
export function bytesPayload(bytes: Uint8Array): Payload {
  return {
    length: bytes.length,
    write: (writer, previous) => {
      writer.raw(bytes);
      return crc32c(bytes, previous);
    },
  };
}

/** Writes a frame behind what the writer holds. */
export function writeFrame(
  writer: ByteWriter,
  payload: Payload,
  { sequence, time, unflushed }: Pick<Frame, 'sequence' | 'time' | 'unflushed'>,
): void {
  const start = writer.length;
  writer.u32(0).u32(payload.length).u64(sequence).u64(time).u32(unflushed).u32(0);
  const checksum = payload.write(writer, writer.checksum(start + 4));
  const length = writer.length - start - FRAME_HEADER_BYTES;
  assert(length === payload.length, `a payload of ${length} bytes that said ${payload.length}`);
  writer.patchU32(start, checksum);
}

/**
 * @param bytes at least FRAME_HEADER_BYTES of them
 * @returns undefined when no writer can have written this; the checksum has not been compared yet
 */
export function decodeFrameHeader(bytes: Uint8Array): FrameHeader | undefined {
  // Cheap refusals first: the search for frames behind a torn one tries every byte.
  if (bytes[28] !== 0 || bytes[29] !== 0 || bytes[30] !== 0 || bytes[31] !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES);
  if (view.getUint32(4, true) > BATCH_BYTES_MAX) return undefined;
  if (view.getUint32(12, true) >= 2 ** 21 || view.getUint32(20, true) >= 2 ** 21) return undefined;
  const reader = new ByteReader(bytes.subarray(0, FRAME_HEADER_BYTES), 'frame header');
  const header = {
    checksum: reader.u32(),
    length: reader.u32(),
    sequence: reader.u64(),
    time: reader.u64(),
    unflushed: reader.u32(),
  };
  return header.unflushed < header.sequence ? header : undefined;
}

/** @param bytes the whole frame, header first */
export function isFrameIntact(header: FrameHeader, bytes: Uint8Array): boolean {
  return crc32c(bytes.subarray(4, FRAME_HEADER_BYTES + header.length)) === header.checksum;
}

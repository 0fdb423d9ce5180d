/**
 * A segment is one file of the log: a header, then frames of consecutive sequences. Bytes that have been flushed never
 * change; only a tail that no promise covers is ever cut. The header is flushed before the first frame is written, so
 * a segment that is longer than its header has a good one, or is damaged.
 *
 *   0  16  file header, kind "log"
 *  16   8  sequence of the first frame
 *  24   4  CRC32C of the 24 bytes before
 *  28   4  zero
 *  32      frames
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';
import { checkFileHeader, encodeFileHeader, FILE_HEADER_BYTES } from '../base/file-header.ts';
import { READ_WINDOW_BYTES, ReadWindow } from '../storage/read-window.ts';
import type { StorageBackend, StorageFile } from '../storage/storage.ts';
import {
  type Deliver,
  decodeFrameHeader,
  FRAME_HEADER_BYTES,
  type Frame,
  type FrameHeader,
  isFrameIntact,
} from './frame.ts';

export const SEGMENT_HEADER_BYTES = 32;

const SEGMENT_NAME = /^log-(\d{16})$/;

export function segmentName(firstSequence: number): string {
  return `log-${String(firstSequence).padStart(16, '0')}`;
}

/** @returns the sequence of the first frame, or undefined if this is no segment's name */
export function parseSegmentName(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Oldest first, so that what is left is without a gap whenever this is interrupted. */
export async function removeSegments(
  storage: StorageBackend,
  isObsolete: (firstSequence: number) => boolean,
): Promise<void> {
  for (const name of (await storage.list()).sort()) {
    const firstSequence = parseSegmentName(name);
    if (firstSequence !== undefined && isObsolete(firstSequence)) await storage.remove(name);
  }
}

/** A new segment without frames, on the device. What an interrupted attempt has left under its name goes. */
export async function createSegment(storage: StorageBackend, firstSequence: number): Promise<StorageFile> {
  const file = await storage.open(segmentName(firstSequence), { create: true });
  try {
    await file.truncate(0);
    await file.write(0, encodeSegmentHeader(firstSequence));
    await file.flush();
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function encodeSegmentHeader(firstSequence: number): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(SEGMENT_HEADER_BYTES).raw(encodeFileHeader('log')).u64(firstSequence);
  return writer.u32(crc32c(writer.bytes())).u32(0).bytes();
}

/** @throws IsovecError CORRUPTION, FORMAT_VERSION */
function checkSegmentHeader(bytes: Uint8Array, file: string): void {
  const firstSequence = decodeSegmentHeader(bytes, file);
  if (segmentName(firstSequence) !== file)
    throw new ByteReader(bytes, file).fail(`the header of ${segmentName(firstSequence)}`);
}

/** @returns the sequence of the first frame @throws IsovecError CORRUPTION, FORMAT_VERSION */
export function decodeSegmentHeader(bytes: Uint8Array, file: string): number {
  checkFileHeader(bytes, 'log', file);
  const reader = new ByteReader(bytes, file);
  reader.raw(FILE_HEADER_BYTES);
  const firstSequence = reader.u64();
  if (reader.u32() !== crc32c(bytes.subarray(0, FILE_HEADER_BYTES + 8)) || reader.u32() !== 0)
    throw reader.fail('a segment header that does not match its checksum');
  return firstSequence;
}

/** What there is to know of a segment without reading it. */
export interface SegmentSummary {
  firstSequence: number;
  bytes: number;
  /** When its first frame was appended. */
  firstTime: number;
}

export interface SegmentEnd {
  /** Where the intact frames end. */
  validBytes: number;
  nextSequence: number;
  /** Bytes behind `validBytes`: no frame, and no promise covers them; or behind what was wanted. */
  tornBytes: number;
}

/** A part of a segment. */
export interface SegmentRange {
  /** Where a frame is known to begin, and its sequence. Left out: the first. */
  from?: { offset: number; sequence: number };
  /** The last sequence wanted. Left out: the last. */
  until?: number;
  /** Somebody may have been about to make the segment: without a whole header it is empty. */
  isNew?: boolean;
  /** Frames up to this sequence are known to have been on the device. */
  durable?: number;
}

/**
 * Delivers every intact frame, in order.
 * @param isLast only the newest segment may have a torn tail
 * @throws IsovecError CORRUPTION, with file and offset, where a frame that was promised is damaged; FORMAT_VERSION
 */
export async function readSegment(
  file: StorageFile,
  firstSequence: number,
  isLast: boolean,
  deliver: Deliver,
  { from, until = Number.POSITIVE_INFINITY, isNew = false, durable = 0 }: SegmentRange = {},
): Promise<SegmentEnd> {
  const sizeBytes = await file.size();
  const window = new ReadWindow(file, sizeBytes);
  if (!from && !(await hasHeader(window, isNew)))
    return { validBytes: 0, nextSequence: firstSequence, tornBytes: sizeBytes };
  let { offset, sequence } = from ?? { offset: SEGMENT_HEADER_BYTES, sequence: firstSequence };
  while (offset < sizeBytes && sequence <= until) {
    const frame = await readFrame(window, offset);
    if (frame?.sequence !== sequence) {
      const promised =
        !isLast || sequence <= durable || (await isPromiseBehind(window, offset + 1, sequence));
      if (promised) throw damage(file.name, offset, sequence);
      break;
    }
    await deliver(frame);
    offset += FRAME_HEADER_BYTES + frame.length;
    sequence++;
  }
  return { validBytes: offset, nextSequence: sequence, tornBytes: sizeBytes - offset };
}

/**
 * @returns false where the segment was never finished
 * @throws IsovecError CORRUPTION, FORMAT_VERSION
 */
async function hasHeader(window: ReadWindow, isNew: boolean): Promise<boolean> {
  const { sizeBytes, name } = window;
  try {
    checkSegmentHeader((await window.bytes(0, Math.min(SEGMENT_HEADER_BYTES, sizeBytes)))!, name);
    return true;
  } catch (error) {
    const isTorn = isNew && sizeBytes <= SEGMENT_HEADER_BYTES;
    if (isTorn && error instanceof IsovecError && error.code === 'CORRUPTION') return false;
    throw error;
  }
}

function damage(file: string, offset: number, sequence: number): IsovecError {
  return new IsovecError(
    'CORRUPTION',
    `${file}: the frame of sequence ${sequence} at byte ${offset} is damaged`,
    {
      details: { file, offset, sequence },
    },
  );
}

/** @returns undefined where no intact frame begins */
export async function readFrame(window: ReadWindow, offset: number): Promise<Frame | undefined> {
  const head = await window.bytes(offset, FRAME_HEADER_BYTES);
  const header = head && decodeFrameHeader(head);
  const whole = header && (await window.bytes(offset, FRAME_HEADER_BYTES + header.length));
  if (!whole || !isFrameIntact(header, whole)) return undefined;
  return { ...header, payload: whole.subarray(FRAME_HEADER_BYTES) };
}

/**
 * Is there an intact frame behind a broken one that was written when the broken one was known to be on the device?
 * Then the broken one had been promised, and this is damage. Without one it is a write that never finished, of which
 * the device may have kept any part.
 */
export async function isPromiseBehind(
  window: ReadWindow,
  from: number,
  brokenSequence: number,
): Promise<boolean> {
  const couldPromise = (header: FrameHeader | undefined) =>
    header !== undefined && header.sequence - header.unflushed > brokenSequence;
  let start = from;
  for (;;) {
    const view = await window.bytes(start, Math.min(READ_WINDOW_BYTES, window.sizeBytes - start));
    if (!view || view.length < FRAME_HEADER_BYTES) return false;
    for (let at = 0; at + FRAME_HEADER_BYTES <= view.length; at++) {
      if (!couldPromise(decodeFrameHeader(view.subarray(at, at + FRAME_HEADER_BYTES)))) continue;
      if (await readFrame(window, start + at)) return true;
    }
    start += view.length - FRAME_HEADER_BYTES + 1;
  }
}

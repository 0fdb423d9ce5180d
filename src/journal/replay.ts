/** The log as it is found on opening: what no checkpoint covers is delivered, and where writing goes on is found. */
import { IsovecError } from '../base/errors.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { DATA_FILE_PREFIX } from './creation.ts';
import type { Deliver, Frame } from './frame.ts';
import { cutTail, type LogPosition, type OpenSegment, positionBehind, tornTail } from './log-position.ts';
import {
  parseSegmentName,
  readSegment,
  removeSegments,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from './segment.ts';

export interface ReplayOptions {
  /** Changes nothing: a torn tail is only warned of. */
  readOnly: boolean;
  /** Entries up to this one are known to have been on the device; 0 where nothing is known. */
  durable: number;
  onWarning: (message: string) => void;
}

/**
 * Delivers every entry behind `coveredSequence`, oldest first.
 * @returns where writing goes on
 * @throws IsovecError CORRUPTION where an entry that was promised is damaged or missing
 */
export async function replayLog(
  storage: StorageBackend,
  coveredSequence: number,
  options: ReplayOptions,
  deliver: Deliver,
  onProgress: (done: number, total: number) => void,
): Promise<LogPosition> {
  const segments = await openNeeded(storage, coveredSequence + 1);
  const position = positionBehind(coveredSequence);
  try {
    const total = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const [index, segment] of segments.entries()) {
      const isLast = index === segments.length - 1;
      await replaySegment(segment, isLast, position, options, (frame) => {
        const taken = deliver(frame);
        done += frame.payload.length;
        onProgress(done, total);
        return taken;
      });
    }
  } finally {
    for (const segment of segments) if (segment !== position.segment) await segment.file.close();
  }
  if (position.nextSequence <= options.durable)
    throw cutOff(segments.at(-1)!, position.nextSequence, options.durable);
  position.sealed = segments.filter((segment) => segment !== position.segment && segment.bytes > 0);
  return position;
}

/** Removes what an interrupted checkpoint left: data files that no manifest names, segments that have not been replayed. */
export async function sweep(
  storage: StorageBackend,
  named: Readonly<Record<string, unknown>>,
  { sealed, segment }: LogPosition,
): Promise<void> {
  for (const name of await storage.list())
    if (name.startsWith(DATA_FILE_PREFIX) && !(name in named)) await storage.remove(name);
  const needed = new Set(
    [...sealed, ...(segment ? [segment] : [])].map(({ firstSequence }) => firstSequence),
  );
  await removeSegments(storage, (firstSequence) => !needed.has(firstSequence));
}

async function openNeeded(storage: StorageBackend, wanted: number): Promise<OpenSegment[]> {
  // Checkpoints end the segment, so each is covered wholly or not at all.
  const firstSequences = (await storage.list())
    .map(parseSegmentName)
    .filter((sequence) => sequence !== undefined && sequence >= wanted)
    .sort((a, b) => a! - b!) as number[];
  // It was on the device before the manifest was.
  if (!firstSequences.includes(wanted)) throw missing(wanted, firstSequences[0]);
  const segments: OpenSegment[] = [];
  for (const firstSequence of firstSequences) {
    const file = await storage.open(segmentName(firstSequence));
    const bytes = await file.size();
    // Left by a rotation that was interrupted: the entries went on in the one before.
    if (bytes <= SEGMENT_HEADER_BYTES && firstSequence > wanted) await file.close();
    else segments.push({ firstSequence, file, bytes, firstTime: 0 });
  }
  return segments;
}

async function replaySegment(
  segment: OpenSegment,
  isLast: boolean,
  position: LogPosition,
  { readOnly, durable, onWarning }: ReplayOptions,
  deliver: Deliver,
): Promise<void> {
  const { file, firstSequence } = segment;
  const wanted = position.nextSequence;
  if (firstSequence > wanted) throw missing(wanted, firstSequence);
  const take = (frame: Frame) => {
    if (segment.firstTime === 0) segment.firstTime = frame.time;
    position.lastTime = frame.time;
    return deliver(frame);
  };
  const end = await readSegment(file, firstSequence, isLast, take, { durable });
  const { validBytes, tornBytes } = end;
  if (tornBytes > 0) {
    if (readOnly) onWarning(tornTail(file, validBytes, tornBytes));
    else await cutTail(file, validBytes, tornBytes, onWarning);
  }
  segment.bytes = validBytes;
  position.nextSequence = end.nextSequence;
  if (isLast) position.segment = segment;
}

function cutOff(
  { file: { name: file }, bytes }: OpenSegment,
  sequence: number,
  durable: number,
): IsovecError {
  const message = `${file}: ends at byte ${bytes} before sequence ${sequence}, though ${durable} had been flushed`;
  return new IsovecError('CORRUPTION', message, { details: { file, offset: bytes, sequence } });
}

/** @param found where the log goes on, if it does */
function missing(expected: number, found: number | undefined): IsovecError {
  const file = segmentName(expected);
  const where = found === undefined ? '' : `; the log goes on at sequence ${found}`;
  return new IsovecError('CORRUPTION', `${file}: missing${where}`, { details: { file, expected, found } });
}

/** Where reading or writing a log goes on, and reading on in a log that others append to. */
import { IsovecError } from '../base/errors.ts';
import type { StorageBackend, StorageFile } from '../storage/storage.ts';
import type { Deliver, Frame } from './frame.ts';
import { readSegment, type SegmentSummary, segmentName } from './segment.ts';

export interface LogPosition {
  nextSequence: number;
  /** Of the newest frame; 0 if there is none. */
  lastTime: number;
  /** Ended segments, oldest first. */
  sealed: SegmentSummary[];
  /** The newest segment, open, up to the end of its intact frames; undefined when the next entry starts a new one. */
  segment?: OpenSegment;
}

export interface OpenSegment extends SegmentSummary {
  file: StorageFile;
}

export interface Following {
  /** Receives the entries from the position's next. */
  deliver: Deliver;
  /**
   * The last sequence that is known to be whole. Left out by whoever holds the lock: then everything is read, and a
   * torn tail is cut off.
   */
  until?: number;
  /** With the lock held: the last sequence that is known to be on the device. What a killed writer wrote behind it is
   *  flushed before anybody builds on it. */
  durable?: number;
  onWarning: (message: string) => void;
}

/** Between what a checkpoint covers and what it does not: checkpoints end the segment. */
export function positionBehind(coveredSequence: number): LogPosition {
  return { nextSequence: coveredSequence + 1, lastTime: 0, sealed: [] };
}

/**
 * Delivers what has been appended behind a position, over as many segments as there are.
 * @returns the new position; files of segments that have been read to their end are closed
 * @throws IsovecError CORRUPTION where an entry that was promised is damaged
 */
export async function followLog(
  storage: StorageBackend,
  from: LogPosition,
  following: Following,
): Promise<LogPosition> {
  const { until = Number.POSITIVE_INFINITY } = following;
  const entered: StorageFile[] = [];
  let position = from;
  try {
    while (position.nextSequence <= until) {
      position = await readOn(position, following);
      const { nextSequence, segment, sealed } = position;
      // One without a frame is named after the next entry, which goes there.
      if (segment?.firstSequence === nextSequence) break;
      const next = await enter(position, storage, nextSequence);
      if (!next.segment || next.segment === segment) break;
      entered.push(next.segment.file);
      if (segment) next.sealed = [...sealed, segment];
      position = next;
    }
    if (until === Number.POSITIVE_INFINITY && position.nextSequence - 1 > (following.durable ?? 0))
      for (const file of [from.segment?.file, ...entered]) await file?.flush();
  } catch (error) {
    // The old position stays good.
    for (const file of entered) await file.close();
    throw error;
  }
  for (const file of [from.segment?.file, ...entered])
    if (file && file !== position.segment?.file) await file.close();
  return position;
}

/** The position at the start of a segment, or the same when there is no such segment. */
async function enter(
  position: LogPosition,
  storage: StorageBackend,
  firstSequence: number,
): Promise<LogPosition> {
  try {
    const file = await storage.open(segmentName(firstSequence));
    return { ...position, segment: { file, firstSequence, bytes: 0, firstTime: 0 } };
  } catch (error) {
    if (error instanceof IsovecError && error.code === 'NOT_FOUND') return position;
    throw error;
  }
}

async function readOn(
  position: LogPosition,
  { deliver, until, durable, onWarning }: Following,
): Promise<LogPosition> {
  const { segment } = position;
  if (!segment) return position;
  const { file, firstSequence, bytes } = segment;
  let { lastTime } = position;
  let { firstTime } = segment;
  const take = (frame: Frame) => {
    if (frame.sequence === firstSequence) firstTime = frame.time;
    lastTime = frame.time;
    return deliver(frame);
  };
  const end = await readSegment(file, firstSequence, true, take, {
    ...(bytes > 0 && { from: { offset: bytes, sequence: position.nextSequence } }),
    ...(until !== undefined && { until }),
    ...(durable !== undefined && { durable }),
    isNew: true,
  });
  if (until === undefined && end.tornBytes > 0) await cutTail(file, end.validBytes, end.tornBytes, onWarning);
  return {
    ...position,
    nextSequence: end.nextSequence,
    lastTime,
    segment: { file, firstSequence, bytes: end.validBytes, firstTime },
  };
}

export function tornTail(file: StorageFile, validBytes: number, tornBytes: number): string {
  return `${file.name}: cut off ${tornBytes} bytes at byte ${validBytes}, a write that never finished`;
}

/** Cuts off a write that never finished. */
export async function cutTail(
  file: StorageFile,
  validBytes: number,
  tornBytes: number,
  onWarning: (message: string) => void,
): Promise<void> {
  onWarning(tornTail(file, validBytes, tornBytes));
  await file.truncate(validBytes);
  await file.flush();
}

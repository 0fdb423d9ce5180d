/** Where reading or writing a log goes on. */
import type { StorageFile } from '../storage/storage.ts';
import type { SegmentSummary } from './segment.ts';

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

/** Between what a checkpoint covers and what it does not: checkpoints end the segment. */
export function positionBehind(coveredSequence: number): LogPosition {
  return { nextSequence: coveredSequence + 1, lastTime: 0, sealed: [] };
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

/** When the log is cut into segments, when a checkpoint takes it in, and when garbage goes: every such bound, in one place. */
export interface LogCare {
  /** As in AppendLogOptions. */
  segmentBytesMax: number;
  segmentAgeMaxMs: number;
  /** A checkpoint is made when the log has grown to this at least, */
  checkpointBytesMin: number;
  /** and to this part of what the files hold, */
  checkpointRatio: number;
  /** but at this at the latest; */
  checkpointBytesMax: number;
  /** or when it holds so many entries, however small. */
  checkpointEntriesMax: number;
  /** Writers wait for a checkpoint under way when the log is so many times longer than what called for it. */
  overrunFactor: number;
  /** A checkpoint is also made when nothing has been written for so long, */
  idleMs: number;
  /** and the log holds either of these. */
  idleBytesMin: number;
  idleEntriesMin: number;
  /** A collection is compacted when its dead rows are more than this part of the live ones, */
  garbageRatio: number;
  /** and at least so many. */
  garbageRowsMin: number;
  /** A failed checkpoint is tried again after this long, then twice as long each time, up to the most. */
  retryMs: number;
  retryMaxMs: number;
}

const MEGABYTE = 1024 * 1024;

export const LOG_CARE: LogCare = {
  // What a checkpoint calls for at first, so a small database has one segment; starting another costs 1 ms in 100.
  segmentBytesMax: 32 * MEGABYTE,
  // Retention of an archive goes by whole segments: this is how finely.
  segmentAgeMaxMs: 60 * 60 * 1000,
  // Replaying this much takes well under a second.
  checkpointBytesMin: 32 * MEGABYTE,
  // So that what checkpoints rewrite (tombstones, a graph image) stays in proportion to what was written.
  checkpointRatio: 0.25,
  // Records in the log are held in memory whole until a checkpoint stores them.
  checkpointBytesMax: 256 * MEGABYTE,
  // Replaying so many takes 0.8 s, be they ever so small.
  checkpointEntriesMax: 100_000,
  // Checkpoints write faster than writers do, which flush each batch: only a slow device gets here.
  overrunFactor: 4,
  // Longer than a person pauses between two changes, shorter than a tab is left open.
  idleMs: 5000,
  // Less than this is replayed in 10 ms, and not worth a new manifest.
  idleBytesMin: MEGABYTE,
  idleEntriesMin: 1000,
  // Of files as of memory, ids of dead rows lie in both. Each row is copied twice for every one that is replaced.
  garbageRatio: 0.5,
  // Fewer cost little, and an application with few records may want to compact when it likes.
  garbageRowsMin: 10_000,
  // A full disk is not emptied sooner, and seldom stays full for longer.
  retryMs: 1000,
  retryMaxMs: 5 * 60 * 1000,
};

/** Records wait in memory for the checkpoint that stores them: they are to take an eighth of it at most. */
export function careWithin(care: LogCare, memoryLimitBytes: number): LogCare {
  const bytesMax = memoryLimitBytes / 8;
  return {
    ...care,
    checkpointBytesMin: Math.min(care.checkpointBytesMin, bytesMax),
    checkpointBytesMax: Math.min(care.checkpointBytesMax, bytesMax),
  };
}

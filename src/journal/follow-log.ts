/** Reading on in a log that others append to. Needed only where several may write: loaded then. */
import { IsovecError } from '../base/errors.ts';
import type { StorageBackend, StorageFile } from '../storage/storage.ts';
import type { Deliver, Frame } from './frame.ts';
import type { Journal } from './journal.ts';
import { cutTail, type LogPosition, positionBehind } from './log-position.ts';
import { decodeManifest, MANIFEST_NAME, type Manifest, manifestMissing } from './manifest.ts';
import { readSegment, type SegmentSummary, segmentName } from './segment.ts';

/** Keeps one context's journal up to date with what others write to the same place. */
export class JournalFollower<State> {
  readonly #storage: StorageBackend;
  readonly #journal: Journal<State>;
  readonly #onWarning: (message: string) => void;

  constructor(storage: StorageBackend, journal: Journal<State>, onWarning: (message: string) => void) {
    this.#storage = storage;
    this.#journal = journal;
    this.#onWarning = onWarning;
  }

  /**
   * Delivers what others have appended since.
   * @param isLocked nobody else can write now: everything is read, and what a dead writer left torn is cut off.
   *        Otherwise as far as has been announced
   */
  async follow(deliver: Deliver, isLocked: boolean): Promise<void> {
    this.#journal.moveTo(await this.#followFrom(this.#journal.position, deliver, isLocked));
  }

  /** The manifest as it is by now, if somebody else has replaced it. */
  async newerManifest(): Promise<Manifest<State> | undefined> {
    const { announced, generation } = this.#journal;
    if (announced?.generation === generation) return undefined;
    const bytes = await this.#storage.load(MANIFEST_NAME);
    if (!bytes) throw manifestMissing([]);
    const manifest = decodeManifest<State>(bytes);
    return manifest.generation === generation ? undefined : manifest;
  }

  /** Takes over a manifest that covers nothing but what has been delivered. */
  async adopt(manifest: Manifest<State>): Promise<void> {
    const { segment, sealed, ...rest } = this.#journal.position;
    const isLive = ({ firstSequence }: SegmentSummary) => firstSequence > manifest.coveredSequence;
    const position = {
      ...rest,
      sealed: sealed.filter(isLive),
      ...(segment && isLive(segment) && { segment }),
    };
    this.#journal.moveTo(position, manifest);
    // The file may be removed already: nothing may be appended to it.
    if (segment && !isLive(segment)) await segment.file.close();
  }

  /**
   * For whoever loads the files of a newer manifest: delivers what they do not cover.
   * @returns takes over manifest and position, once what was loaded has taken the place of what was there
   */
  async replayFrom(
    manifest: Manifest<State>,
    deliver: Deliver,
    isLocked: boolean,
  ): Promise<() => Promise<void>> {
    const start = positionBehind(manifest.coveredSequence);
    const position = await this.#followFrom(start, deliver, isLocked);
    return async () => {
      const old = this.#journal.position.segment;
      this.#journal.moveTo(position, manifest);
      await old?.file.close();
    };
  }

  #followFrom(position: LogPosition, deliver: Deliver, isLocked: boolean): Promise<LogPosition> {
    const onWarning = this.#onWarning;
    const { announced, lastSequence, durableSequence } = this.#journal;
    return followLog(this.#storage, position, {
      deliver,
      onWarning,
      ...(isLocked ? { durable: durableSequence } : { until: announced?.sequence ?? lastSequence }),
    });
  }
}

interface Following {
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

/**
 * Delivers what has been appended behind a position, over as many segments as there are.
 * @returns the new position; files of segments that have been read to their end are closed
 * @throws IsovecError CORRUPTION where an entry that was promised is damaged
 */
async function followLog(
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

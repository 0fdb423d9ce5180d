/**
 * The log read as far as it can be read, for those who must know what damage there is: every frame that is intact is
 * delivered, whatever lies before it.
 */
import type { IntegrityProblem } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import { READ_WINDOW_BYTES, ReadWindow } from '../storage/read-window.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { sizeOf } from './creation.ts';
import { decodeFrameHeader, FRAME_HEADER_BYTES, type Frame } from './frame.ts';
import {
  decodeSegmentHeader,
  isPromiseBehind,
  parseSegmentName,
  readFrame,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from './segment.ts';

export interface LogRange {
  /** Entries up to here are in the files that the manifest names. */
  coveredSequence: number;
  /** The last entry known to have been written. Left out: what looks like a write that never finished is one. */
  lastSequence?: number;
  /** Entries up to this one are known to have been on the device; there may be more. */
  durable?: number;
}

export interface LogVisitor {
  /** What it returns is awaited before the next one is read. */
  frame(frame: Frame, file: string): unknown;
  /** As `frame`. @param bytes what stands where intact frames should */
  damage(problem: IntegrityProblem, bytes?: Uint8Array): unknown;
  /** A segment has been read. */
  read(bytes: number): void;
}

/** @returns the newest sequence that can have been given out @throws IsovecError FORMAT_VERSION, STORAGE_IO */
export async function surveyLog(
  storage: StorageBackend,
  range: LogRange,
  visitor: LogVisitor,
): Promise<number> {
  const { coveredSequence, lastSequence = Number.POSITIVE_INFINITY } = range;
  const wanted = coveredSequence + 1;
  const firstSequences = (await neededSegments(storage, wanted)).filter(
    (each) => each === wanted || each <= lastSequence,
  );
  let expected = wanted;
  const isFirstMissing = firstSequences[0] !== wanted;
  if (isFirstMissing) visitor.damage(firstMissing(wanted));
  for (const [index, firstSequence] of firstSequences.entries()) {
    if (firstSequence > expected) {
      const before = firstSequences[index - 1];
      if (before !== undefined) visitor.damage(gap(before, expected, firstSequence - 1));
      expected = firstSequence;
    }
    const isLast = index === firstSequences.length - 1;
    const survey = new SegmentSurvey(storage, firstSequence, isLast, range, visitor);
    expected = await survey.run(expected);
  }
  // Of a segment that is gone at least one may have been, so its name is not given again.
  const durable = Math.max(range.durable ?? 0, Number.isFinite(lastSequence) ? lastSequence : 0);
  const known = Math.max(expected - 1, durable, isFirstMissing ? wanted : coveredSequence, ...firstSequences);
  if (expected <= durable) visitor.damage(gap(firstSequences.at(-1) ?? expected, expected, durable));
  return known;
}

/** As recovery needs them: checkpoints end the segment, so each is covered wholly or not at all. */
async function neededSegments(storage: StorageBackend, wanted: number): Promise<number[]> {
  const needed: number[] = [];
  for (const name of await storage.list()) {
    const firstSequence = parseSegmentName(name);
    if (firstSequence === undefined || firstSequence < wanted) continue;
    // Left by a rotation that was interrupted: the entries went on in the one before.
    if (firstSequence > wanted && (await sizeOf(storage, name)) <= SEGMENT_HEADER_BYTES) continue;
    needed.push(firstSequence);
  }
  return needed.sort((a, b) => a - b);
}

function firstMissing(wanted: number): IntegrityProblem {
  const file = segmentName(wanted);
  return { file, kind: 'missing', message: `${file}: missing, with whatever entries it held` };
}

function gap(firstSequence: number, from: number, to: number): IntegrityProblem {
  const file = segmentName(firstSequence);
  return { file, kind: 'missing', message: `${file}: ${entries(from, to)} missing` };
}

function entries(from: number, to: number): string {
  return from === to ? `entry ${from} is` : `entries ${from} to ${to} are`;
}

class SegmentSurvey {
  readonly #storage: StorageBackend;
  readonly #file: string;
  readonly #firstSequence: number;
  readonly #isLast: boolean;
  readonly #lastSequence: number | undefined;
  readonly #durable: number;
  readonly #visitor: LogVisitor;

  constructor(
    storage: StorageBackend,
    firstSequence: number,
    isLast: boolean,
    { lastSequence, durable = 0 }: LogRange,
    visitor: LogVisitor,
  ) {
    this.#storage = storage;
    this.#file = segmentName(firstSequence);
    this.#firstSequence = firstSequence;
    this.#isLast = isLast;
    this.#lastSequence = lastSequence;
    this.#durable = durable;
    this.#visitor = visitor;
  }

  /** @param expected the next sequence wanted @returns the next one wanted of the segment behind */
  async run(expected: number): Promise<number> {
    const file = await this.#storage.open(this.#file);
    try {
      const window = new ReadWindow(file, await file.size());
      if (!(await this.#checkHeader(window))) return expected;
      return await this.#readFrames(window, expected);
    } finally {
      this.#visitor.read(await file.size());
      await file.close();
    }
  }

  /** @returns false where there is nothing in this file for us */
  async #checkHeader(window: ReadWindow): Promise<boolean> {
    const { sizeBytes } = window;
    try {
      const header = await window.bytes(0, Math.min(SEGMENT_HEADER_BYTES, sizeBytes));
      const found = decodeSegmentHeader(header!, this.#file);
      if (found === this.#firstSequence) return true;
      this.#tell('format', 0, `the header of ${segmentName(found)}: another file in its place`);
      return false;
    } catch (error) {
      if (!(error instanceof IsovecError) || error.code !== 'CORRUPTION') throw error;
      this.#tell('checksum', 0, 'the header is damaged');
      return sizeBytes > SEGMENT_HEADER_BYTES;
    }
  }

  async #readFrames(window: ReadWindow, firstExpected: number): Promise<number> {
    let expected = firstExpected;
    let offset = SEGMENT_HEADER_BYTES;
    while (offset < window.sizeBytes && expected <= (this.#lastSequence ?? Infinity)) {
      const frame = await readFrame(window, offset);
      if (!frame) {
        if (await this.#isTorn(window, offset + 1, expected)) return expected;
        const end = await nextFrame(window, offset + 1);
        await this.#tellDamage(window, offset, end, expected);
        offset = end;
        continue;
      }
      if (frame.sequence >= expected) {
        await this.#visitor.frame(frame, this.#file);
        expected = frame.sequence + 1;
      }
      offset += FRAME_HEADER_BYTES + frame.length;
    }
    return expected;
  }

  /** The rule of recovery: a broken end that no promise covers is a write that never finished. */
  async #isTorn(window: ReadWindow, from: number, expected: number): Promise<boolean> {
    if (!this.#isLast || this.#lastSequence !== undefined || expected <= this.#durable) return false;
    return !(await isPromiseBehind(window, Math.min(from, window.sizeBytes), expected));
  }

  async #tellDamage(window: ReadWindow, offset: number, end: number, expected: number): Promise<void> {
    const behind = await readFrame(window, end);
    const what = behind ? entries(expected, Math.max(expected, behind.sequence - 1)) : `entry ${expected} is`;
    const file = this.#file;
    const bytes = (await window.bytes(offset, end - offset))!.slice();
    const message = `${file}: ${what} damaged at byte ${offset}`;
    await this.#visitor.damage({ file, offset, kind: 'checksum', message }, bytes);
  }

  #tell(kind: IntegrityProblem['kind'], offset: number, what: string): void {
    this.#visitor.damage({ file: this.#file, offset, kind, message: `${this.#file}: ${what}` });
  }
}

/** @returns where the next intact frame begins, or where the file ends */
async function nextFrame(window: ReadWindow, from: number): Promise<number> {
  for (let start = from; ; ) {
    const view = await window.bytes(start, Math.min(READ_WINDOW_BYTES, window.sizeBytes - start));
    if (!view || view.length < FRAME_HEADER_BYTES) return window.sizeBytes;
    for (let at = 0; at + FRAME_HEADER_BYTES <= view.length; at++)
      if (
        decodeFrameHeader(view.subarray(at, at + FRAME_HEADER_BYTES)) &&
        (await readFrame(window, start + at))
      )
        return start + at;
    start += view.length - FRAME_HEADER_BYTES + 1;
  }
}

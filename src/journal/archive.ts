/**
 * The archive keeps what checkpoints cut off the log, and now and then the whole state, so that the state after any
 * write in between can be built again.
 *
 * Its index names its files in the order of time: a base (a whole state, as entries), then log (frames as they were),
 * then maybe another base and more log. A file is written and flushed before the index names it, and a segment is
 * removed only after that; so a crash leaves the segment, or its copy, or both. Files that the index does not name are
 * left over from a crash.
 */
import { IsovecError } from '../base/errors.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { ArchiveFileWriter, type Compression } from './archive-file.ts';
import type { Frame } from './frame.ts';
import { decodeJsonFile, encodeJsonFile } from './json-file.ts';
import { parseSegmentName, readSegment, segmentName } from './segment.ts';

export const ARCHIVE_INDEX_NAME = 'archive';
export const ARCHIVE_FILE_PREFIX = 'archive-';

export interface ArchivedFile {
  name: string;
  /** 'base': the state after `lastSequence`. 'log': the entries from `firstSequence` to `lastSequence`. */
  kind: 'base' | 'log';
  firstSequence: number;
  lastSequence: number;
  /** Milliseconds since 1970: of the first entry, and of the last; of a base, when it was the state. */
  firstTime: number;
  lastTime: number;
  bytes: number;
}

export interface ArchiveOptions {
  compression: Compression;
  /** What is older need not be restorable. */
  retentionMs: number;
  /** What the archive should not exceed, unless one base with the log behind it does. */
  retentionBytes: number;
}

/** A new base is written when the log since the last has grown to this part of the bytes allowed, and to its size. */
const BASE_BYTES_RATIO = 0.25;
/** And when the last is older than this part of the age to be kept. */
const BASE_AGE_RATIO = 0.5;

/** @returns undefined where nothing was ever archived @throws IsovecError CORRUPTION, FORMAT_VERSION */
export async function loadArchiveIndex(storage: StorageBackend): Promise<ArchivedFile[] | undefined> {
  const bytes = await storage.load(ARCHIVE_INDEX_NAME);
  if (!bytes) {
    // A base alone may have been written by whoever was about to begin an archive.
    const log = (await findArchived(storage)).find(({ kind }) => kind === 'log');
    if (log) throw indexMissing(log.name);
    return undefined;
  }
  return (decodeJsonFile('archive-index', bytes, ARCHIVE_INDEX_NAME) as { files: ArchivedFile[] }).files;
}

/** Replaces it atomically. */
export function replaceArchiveIndex(storage: StorageBackend, files: readonly ArchivedFile[]): Promise<void> {
  return storage.replace(ARCHIVE_INDEX_NAME, encodeJsonFile('archive-index', { files }));
}

function indexMissing(found: string): IsovecError {
  return new IsovecError('CORRUPTION', `${ARCHIVE_INDEX_NAME}: missing, though ${found} is there`, {
    details: { file: ARCHIVE_INDEX_NAME, found },
  });
}

const FILE_NAME = /^archive-(base|\d{16})-(\d{16})$/;

/** What is there, in order, as far as names tell: for whoever has no index. */
export async function findArchived(storage: StorageBackend): Promise<ArchivedFile[]> {
  const unknown = { firstTime: 0, lastTime: 0, bytes: 0 };
  const files = (await storage.list()).flatMap((name): ArchivedFile[] => {
    const [, first, last] = FILE_NAME.exec(name) ?? [];
    if (first === undefined) return [];
    const lastSequence = Number(last);
    return first === 'base'
      ? [{ name, kind: 'base', firstSequence: lastSequence, lastSequence, ...unknown }]
      : [{ name, kind: 'log', firstSequence: Number(first), lastSequence, ...unknown }];
  });
  // A base is of the state that the log before it has led to.
  return files.sort((a, b) => a.lastSequence - b.lastSequence || (a.kind === 'base' ? 1 : -1));
}

/** Does the file go on where the one before it ends, or need none before it? */
export function isChained(before: ArchivedFile | undefined, { kind, firstSequence }: ArchivedFile): boolean {
  return kind === 'base' || (before !== undefined && firstSequence === before.lastSequence + 1);
}

/** The writing end. Whoever calls holds the database's lock; the index is read anew each time, for others write it too. */
export class LogArchive {
  readonly #storage: StorageBackend;
  readonly #options: ArchiveOptions;

  constructor(storage: StorageBackend, options: ArchiveOptions) {
    this.#storage = storage;
    this.#options = options;
  }

  async files(): Promise<ArchivedFile[]> {
    return (await loadArchiveIndex(this.#storage)) ?? [];
  }

  /** Removes what an interrupted attempt left. */
  async sweep(): Promise<void> {
    const named = new Set((await this.files()).map(({ name }) => name));
    for (const name of await this.#storage.list())
      if (name.startsWith(ARCHIVE_FILE_PREFIX) && !named.has(name)) await this.#storage.remove(name);
  }

  /** Should the next checkpoint write a base? @param coveredSequence of the last one */
  async wantsBase(coveredSequence: number): Promise<boolean> {
    const files = await this.files();
    if (!continues(files, coveredSequence)) return true;
    const lastBase = files.findLastIndex(({ kind }) => kind === 'base');
    const base = files[lastBase]!;
    const logBytes = files.slice(lastBase + 1).reduce((sum, { bytes }) => sum + bytes, 0);
    const { retentionBytes, retentionMs } = this.#options;
    return (
      logBytes >= Math.max(base.bytes, retentionBytes * BASE_BYTES_RATIO) ||
      (logBytes > 0 && Date.now() - base.lastTime >= retentionMs * BASE_AGE_RATIO)
    );
  }

  /** Before a checkpoint cuts the log: copies the segments that it is to cover. They have ended. */
  async keep(coveredBefore: number, coveredSequence: number): Promise<void> {
    const files = await this.files();
    if (!continues(files, coveredBefore)) return;
    const archivedSequence = files.at(-1)!.lastSequence;
    const firstSequences = (await this.#storage.list())
      .map(parseSegmentName)
      .filter((first) => first !== undefined)
      .filter((first) => first > archivedSequence && first <= coveredSequence)
      .sort((a, b) => a - b);
    for (const first of firstSequences) {
      const archived = await this.#copySegment(first);
      if (archived) files.push(archived);
    }
    if (firstSequences.length > 0) await replaceArchiveIndex(this.#storage, files);
  }

  /** @param entries give the state after `sequence` when they are applied to nothing */
  async addBase(sequence: number, time: number, entries: AsyncIterable<Uint8Array>): Promise<void> {
    const files = await this.files();
    const name = `${ARCHIVE_FILE_PREFIX}base-${digits(sequence)}`;
    if (files.some((file) => file.name === name)) return;
    const bytes = await this.#write(name, async (writer) => {
      for await (const payload of entries) await writer.add({ payload, sequence, time, unflushed: 0 });
    });
    const span = { firstSequence: sequence, lastSequence: sequence, firstTime: time, lastTime: time };
    await replaceArchiveIndex(this.#storage, [...files, { name, kind: 'base', ...span, bytes }]);
  }

  /** Removes what need not be kept any more: everything before a base that is old enough, or the latest that must do. */
  async retire(): Promise<void> {
    const files = await this.files();
    const { retentionMs, retentionBytes } = this.#options;
    const bases = files.flatMap(({ kind }, index) => (kind === 'base' ? [index] : []));
    const oldTime = Date.now() - retentionMs;
    let from = bases.findLast((index) => files[index]!.lastTime <= oldTime) ?? bases[0] ?? 0;
    const bytesFrom = (start: number) => files.slice(start).reduce((sum, { bytes }) => sum + bytes, 0);
    for (const base of bases) if (base > from && bytesFrom(from) > retentionBytes) from = base;
    if (from === 0) return;
    await replaceArchiveIndex(this.#storage, files.slice(from));
    for (const { name } of files.slice(0, from)) await this.#storage.remove(name);
  }

  async #copySegment(firstSequence: number): Promise<ArchivedFile | undefined> {
    // A segment is held whole meanwhile: some 32 MB.
    const frames: Frame[] = [];
    const file = await this.#storage.open(segmentName(firstSequence));
    try {
      await readSegment(file, firstSequence, false, (frame) => frames.push(frame));
    } finally {
      await file.close();
    }
    const last = frames.at(-1);
    if (!last) return undefined;
    const name = `${ARCHIVE_FILE_PREFIX}${digits(firstSequence)}-${digits(last.sequence)}`;
    const bytes = await this.#write(name, async (writer) => {
      for (const frame of frames) await writer.add(frame);
    });
    const span = { firstSequence, lastSequence: last.sequence };
    return { name, kind: 'log', ...span, firstTime: frames[0]!.time, lastTime: last.time, bytes };
  }

  async #write(name: string, fill: (writer: ArchiveFileWriter) => Promise<void>): Promise<number> {
    const writer = await ArchiveFileWriter.create(this.#storage, name, this.#options.compression);
    try {
      await fill(writer);
      return await writer.finish();
    } finally {
      await writer.close();
    }
  }
}

/** Does the archive go on where the log begins? Not after a time without it. */
function continues(files: readonly ArchivedFile[], coveredSequence: number): boolean {
  const last = files.at(-1);
  return last !== undefined && last.lastSequence >= coveredSequence;
}

function digits(sequence: number): string {
  return String(sequence).padStart(16, '0');
}

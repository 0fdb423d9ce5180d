/** The archive read as far as it can be read: its index, the pieces of its files, and whether they make a chain. */
import { areEqual } from '../../base/bytes.ts';
import {
  ARCHIVE_INDEX_NAME,
  type ArchivedFile,
  findArchived,
  isChained,
  loadArchiveIndex,
} from '../../journal/archive.ts';
import { readArchiveFile } from '../../journal/archive-file.ts';
import type { Frame } from '../../journal/frame.ts';
import type { StorageBackend } from '../../storage/storage.ts';
import { decodeOperations } from '../operations.ts';
import { Findings } from './findings.ts';
import { isDamage, openIfThere } from './survey-file.ts';

/** Another process may add to the archive while it is read; then it is read again, so many times at most. */
const ATTEMPTS_MAX = 3;
/** Decoded before others have a turn: a few milliseconds. */
const PAYLOAD_BYTES_PER_TURN = 1024 * 1024;

/** @returns the files that can be relied on, as the index should name them; undefined where that is how it is */
export async function surveyArchive(
  storage: StorageBackend,
  findings: Findings,
  pause: () => Promise<void>,
): Promise<ArchivedFile[] | undefined> {
  const load = () => storage.load(ARCHIVE_INDEX_NAME).catch(() => undefined);
  for (let attempt = 1; ; attempt++) {
    const before = await load();
    const survey = new ArchiveSurvey(storage, findings, pause);
    const files = await survey.run();
    const { problems } = survey.findings;
    const after = problems.length > 0 && attempt < ATTEMPTS_MAX ? await load() : before;
    if (before && after && !areEqual(before, after)) continue;
    findings.problems.push(...problems);
    findings.filesChecked += survey.findings.filesChecked;
    return problems.length > 0 ? files : undefined;
  }
}

class ArchiveSurvey {
  readonly #storage: StorageBackend;
  readonly #pause: () => Promise<void>;
  readonly findings: Findings;

  constructor(storage: StorageBackend, told: Findings, pause: () => Promise<void>) {
    this.#storage = storage;
    this.#pause = pause;
    this.findings = new Findings(0, () => {});
    this.findings.read = (bytes) => told.read(bytes);
  }

  async run(): Promise<ArchivedFile[]> {
    const indexed = await this.#index();
    const kept: ArchivedFile[] = [];
    let previous: ArchivedFile | undefined;
    for (const file of indexed ?? (await findArchived(this.#storage))) {
      if (indexed && !isChained(previous, file))
        this.findings.add(file.name, 'reference', `does not go on where ${previous?.name ?? 'a base'} ends`);
      previous = file;
      const found = await this.#file(file, indexed !== undefined);
      if (found && isChained(kept.at(-1), found)) kept.push(found);
    }
    return kept;
  }

  /** @returns undefined where there is none that can be read */
  async #index(): Promise<ArchivedFile[] | undefined> {
    try {
      const files = await loadArchiveIndex(this.#storage);
      if (files) this.findings.filesChecked++;
      return files;
    } catch (error) {
      if (!isDamage(error)) throw error;
      const isMissing =
        (await this.#storage.load(ARCHIVE_INDEX_NAME).catch(() => new Uint8Array())) === undefined;
      this.findings.problems.push({
        file: ARCHIVE_INDEX_NAME,
        kind: isMissing ? 'missing' : 'checksum',
        message: error.message,
      });
      return undefined;
    }
  }

  /**
   * @param isIndexed whether what is known of it must be found in it, or is taken from it
   * @returns the file as it was found; undefined if it is damaged
   */
  async #file(file: ArchivedFile, isIndexed: boolean): Promise<ArchivedFile | undefined> {
    const { name } = file;
    this.findings.filesChecked++;
    try {
      const bytes = await this.#sizeOf(name);
      if (bytes === undefined) {
        this.findings.add(name, 'missing', 'is missing');
        return undefined;
      }
      if (isIndexed && bytes !== file.bytes) {
        const what = `is ${bytes} bytes long, where the archive counts ${file.bytes}`;
        this.findings.add(name, bytes < file.bytes ? 'missing' : 'reference', what);
        return undefined;
      }
      const found = await this.#read({ ...file, bytes });
      this.findings.read(bytes);
      if (!isIndexed) return found;
      if (spanOf(found) === spanOf(file)) return file;
      this.findings.add(
        name,
        'reference',
        `holds ${spanOf(found)}, where the archive counts ${spanOf(file)}`,
      );
    } catch (error) {
      if (!isDamage(error)) throw error;
      const offset = error.details?.offset;
      const { message } = error;
      this.findings.problems.push({
        file: name,
        kind: 'checksum',
        message,
        ...(typeof offset === 'number' && { offset }),
      });
    }
    return undefined;
  }

  async #sizeOf(name: string): Promise<number | undefined> {
    const file = await openIfThere(this.#storage, name);
    try {
      return await file?.size();
    } finally {
      await file?.close();
    }
  }

  /** @throws IsovecError CORRUPTION */
  async #read(file: ArchivedFile): Promise<ArchivedFile> {
    const { name, kind, bytes } = file;
    let first: Frame | undefined;
    let last: Frame | undefined;
    let payloadBytes = 0;
    for await (const frame of readArchiveFile(this.#storage, name, bytes)) {
      const expected = last && (kind === 'base' ? last.sequence : last.sequence + 1);
      if (expected !== undefined && frame.sequence !== expected)
        this.findings.add(name, 'reference', `has entry ${frame.sequence} where ${expected} comes next`);
      decodeOperations(frame.payload, name);
      first ??= frame;
      last = frame;
      payloadBytes += frame.payload.length;
      if (payloadBytes < PAYLOAD_BYTES_PER_TURN) continue;
      payloadBytes = 0;
      await this.#pause();
    }
    // The base of a database without collections holds nothing.
    if (!first || !last) return kind === 'base' ? file : { ...file, firstSequence: 0, lastSequence: 0 };
    return {
      ...file,
      firstSequence: first.sequence,
      lastSequence: last.sequence,
      firstTime: first.time,
      lastTime: last.time,
    };
  }
}

function spanOf({ firstSequence, lastSequence, firstTime, lastTime }: ArchivedFile): string {
  const time = (ms: number) => new Date(ms).toISOString();
  return `sequences ${firstSequence} to ${lastSequence}, ${time(firstTime)} to ${time(lastTime)}`;
}

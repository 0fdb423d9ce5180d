/** What a checkpoint does for the archive. Loaded only where one is kept. */
import type { OpenOptions } from '../base/api.ts';
import { ByteWriter } from '../base/bytes.ts';
import { checkInteger, checkKeys, checkObject, checkOneOf, unsupported } from '../base/check.ts';
import { LogArchive } from '../journal/archive.ts';
import type { RowTable } from '../tables/row-table.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { type Operation, operationsPayload } from './operations.ts';
import type { RawRecord } from './rows-view.ts';

/** Records of one entry of a base: so many that they compress well, so few that memory is no matter. */
const RECORDS_PER_ENTRY = 256;

export interface ArchiveStatistics {
  archivedSegments: number;
  archivedBytes: number;
  oldestRestorable?: { sequence: number; at: Date };
}

/** One collection as it was when the checkpoint was noted. Its records are read from its files, once they are there. */
interface NotedCollection {
  state: CollectionState;
  rows: RowTable;
  rowsInOrder: Uint32Array;
}

interface NotedBase {
  sequence: number;
  time: number;
  collections: NotedCollection[];
}

export class Archiving {
  readonly #engine: Engine;
  readonly #archive: LogArchive;
  #base: NotedBase | undefined;
  #coveredBefore = 0;
  #isReady = true;

  /** @throws IsovecError INVALID_ARGUMENT, UNSUPPORTED */
  constructor(engine: Engine, options: Exclude<OpenOptions['archive'], undefined | false>) {
    checkArchive(options);
    const { compression, retentionMs, retentionBytes } = options === true ? {} : options;
    this.#engine = engine;
    this.#archive = new LogArchive(engine.storage, {
      compression: compression ?? (typeof CompressionStream === 'undefined' ? 'none' : 'gzip'),
      retentionMs: retentionMs ?? Number.POSITIVE_INFINITY,
      retentionBytes: retentionBytes ?? Number.POSITIVE_INFINITY,
    });
  }

  /** Until it is so, the archive cannot go on: the next checkpoint is to write a base. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Finds out where the archive stands. */
  async open(): Promise<void> {
    const { coveredSequence } = this.#engine.journal;
    await this.#archive.sweep();
    this.#isReady = !(await this.#archive.wantsBase(coveredSequence));
    if (this.#isReady || coveredSequence > 0) return;
    // Nothing has been cut off the log yet: it all follows upon an empty database.
    await this.#archive.addBase(0, 0, noEntries());
    this.#isReady = true;
  }

  /**
   * With writers standing still, and the log's segment ended.
   * @param canExport false where the files are about to be replaced by others: a base can wait for the next checkpoint
   */
  async note(sequence: number, canExport: boolean): Promise<void> {
    const { journal, collections } = this.#engine;
    this.#coveredBefore = journal.coveredSequence;
    this.#base = undefined;
    const isWanted = await this.#archive.wantsBase(journal.coveredSequence);
    this.#isReady ||= !isWanted;
    if (!canExport || !isWanted) return;
    const noted = [...collections.values()].map((state) => {
      const { rows } = state;
      return { state, rows, rowsInOrder: rows.rowsInOrder() };
    });
    this.#base = { sequence, time: Date.now(), collections: noted };
  }

  /** Before the manifest says that the log is covered. */
  keep(coveredSequence: number): Promise<void> {
    return this.#archive.keep(this.#coveredBefore, coveredSequence);
  }

  /** Once the checkpoint is made. */
  async finish(): Promise<void> {
    const base = this.#base;
    this.#base = undefined;
    if (base) await this.#archive.addBase(base.sequence, base.time, entriesOf(base.collections));
    this.#isReady ||= base !== undefined;
    await this.#archive.retire();
  }

  async statistics(): Promise<ArchiveStatistics> {
    const files = await this.#archive.files();
    const [oldest] = files;
    return {
      archivedSegments: files.filter(({ kind }) => kind === 'log').length,
      archivedBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      ...(oldest && {
        oldestRestorable: { sequence: oldest.lastSequence, at: new Date(oldest.lastTime) },
      }),
    };
  }
}

async function* noEntries(): AsyncGenerator<Uint8Array> {}

async function* entriesOf(collections: readonly NotedCollection[]): AsyncGenerator<Uint8Array> {
  for (const { state, rows, rowsInOrder } of collections) {
    const { id, name, config } = state;
    yield encoded([{ kind: 'create', collectionId: id, name, config }]);
    for (let start = 0; start < rowsInOrder.length; start += RECORDS_PER_ENTRY) {
      const step = rowsInOrder.subarray(start, start + RECORDS_PER_ENTRY);
      const records = await readStored(state, step);
      const operations = records.map(
        ({ body, vector, checksum }, index): Operation => ({
          kind: 'put',
          collectionId: id,
          id: rows.idBytes(step[index]!),
          body,
          vector,
          checksum,
        }),
      );
      yield encoded(operations);
    }
    // Reading has opened them again if the collection has been dropped meanwhile.
    if (state.isDropped) await state.files.close();
  }
}

function encoded(operations: readonly Operation[]): Uint8Array {
  const payload = operationsPayload(operations);
  const writer = new ByteWriter(payload.length);
  payload.write(writer, 0);
  return writer.bytes();
}

/** Rows that have died since are still in the files. */
function readStored({ files }: CollectionState, rows: Uint32Array): Promise<RawRecord[]> {
  return files.read(async () => {
    const bodies = Array.from(rows, (row) => files.body(row));
    const vectors = await files.vectorsOf(Array.from(rows));
    return Promise.all(
      bodies.map(async (body, index) => ({ body: await body, vector: vectors[index]!, checksum: undefined })),
    );
  });
}

function checkArchive(archive: NonNullable<OpenOptions['archive']>): void {
  if (typeof archive === 'boolean') return;
  checkObject(archive, 'options.archive');
  checkKeys(archive, ['compression', 'retentionMs', 'retentionBytes'], 'options.archive');
  const { compression, retentionMs, retentionBytes } = archive;
  if (compression !== undefined) checkOneOf(compression, ['gzip', 'none'], 'options.archive.compression');
  if (compression === 'gzip' && typeof CompressionStream === 'undefined')
    throw unsupported('compression', 'options.archive.compression');
  if (retentionMs !== undefined)
    checkInteger(retentionMs, 1, Number.MAX_SAFE_INTEGER, 'options.archive.retentionMs');
  if (retentionBytes !== undefined)
    checkInteger(retentionBytes, 1, Number.MAX_SAFE_INTEGER, 'options.archive.retentionBytes');
}

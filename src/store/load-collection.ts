/** From the files that the manifest names back to a collection in memory. The log's tail is applied on top later. */
import { IsovecError } from '../base/errors.ts';
import type { LiveFile } from '../journal/manifest.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import type { StorageFile } from '../storage/storage.ts';
import { checkDataHeader, DATA_HEADER_BYTES } from '../tables/data-header.ts';
import { RowTable } from '../tables/row-table.ts';
import { decodeRowsBlocks, decodeRowsFile, type RecordExtent } from '../tables/rows-file.ts';
import { readCodes } from './codes.ts';
import { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { Filling } from './filling.ts';
import { readGraph, type StoredPages } from './graph-pages.ts';
import { loadVectors } from './load-vectors.ts';
import type { StoredCollection } from './manifest-state.ts';
import { areSame, payloadOf, readPayload } from './payload.ts';

type LiveFiles = Readonly<Record<string, LiveFile>>;

/** @param live the files, as the manifest that names them has them
 *  @throws IsovecError CORRUPTION, FORMAT_VERSION; a damaged graph is only warned of, and rebuilt */
export async function loadCollection(
  engine: Engine,
  stored: StoredCollection,
  live: LiveFiles,
  onProgress: (rowsDone: number) => void,
): Promise<CollectionState> {
  const { id, name, config, epoch, rowCount, deadCount, files: names } = stored;
  const index = await engine.createIndex(config, stored.codes?.calibration);
  if (rowCount > 0) {
    index.reserve(rowCount - deadCount);
    index.prepareMemory?.();
  }
  const { rows, extents } = await loadRows(engine, stored, live);
  const files = engine.createFiles(names, config, extents);
  let graphPages: StoredPages | undefined;
  if (rowCount > 0) {
    await checkFiles(engine, stored, live);
    graphPages = await loadGraph(engine, stored, live, index);
    const filling = new Filling(rows, index, onProgress);
    await loadCodes(engine, stored, live, filling);
    await loadVectors(files, config.dimensions, filling);
    filling.finish();
    index.leaveRooms?.();
    if (engine.storage.capabilities.sharedWrites) await files.hold();
  }
  const state = new CollectionState(id, name, config, epoch, { rows, files, index });
  state.graphPages = graphPages;
  state.storedText = stored.text;
  if (rowCount > 0) await loadPayload(engine, state, stored);
  return state;
}

async function loadRows(
  engine: Engine,
  { files, rowCount, deadCount }: StoredCollection,
  live: LiveFiles,
): Promise<{ rows: RowTable; extents: RecordExtent[] }> {
  const rows = new RowTable();
  if (rowCount === 0) return { rows, extents: [] };
  const { ids, extents, deaths } = decodeRowsFile(
    await readFile(engine, files.rows, 0, lengthOf(live, files.rows)),
    files.rows,
  );
  for (const { payload, rowCount: count } of ids) rows.restoreBlock(payload, count, files.rows);
  rows.restoreDeaths(deaths);
  const stored = extents.reduce((sum, extent) => sum + extent.rowCount, 0);
  if (rows.rowCount !== rowCount || stored !== rowCount || rows.deadCount !== deadCount)
    throw new IsovecError(
      'CORRUPTION',
      `${files.rows}: ${rows.rowCount} ids (${rows.deadCount} of them dead) and ${stored} records where the manifest ` +
        `counts ${rowCount} (${deadCount} dead)`,
      { details: { file: files.rows, rows: rows.rowCount, records: stored, expected: rowCount } },
    );
  return { rows, extents };
}

/** Where the records lie that have been stored since the manifest that the engine goes by. */
export async function loadNewExtents(
  engine: Engine,
  { files }: StoredCollection,
  live: LiveFiles,
): Promise<RecordExtent[]> {
  const name = files.rows;
  const from = lengthOf(engine.journal.files, name) || DATA_HEADER_BYTES;
  const to = lengthOf(live, name);
  if (to <= from) return [];
  return decodeRowsBlocks(await readFile(engine, name, from, to), 0, name).extents;
}

/** As far as can be seen without reading them: records are read when they are asked for. */
async function checkFiles(engine: Engine, { files }: StoredCollection, live: LiveFiles): Promise<void> {
  for (const kind of ['vectors', 'records'] as const) {
    const name = files[kind];
    await withLive(engine, name, async (file) => {
      checkDataHeader(await file.read(0, DATA_HEADER_BYTES), kind, name);
      const bytes = await file.size();
      if (bytes < lengthOf(live, name))
        throw new IsovecError(
          'CORRUPTION',
          `${name}: ends at byte ${bytes}, where the manifest counts ${lengthOf(live, name)} bytes`,
          { details: { file: name, offset: bytes } },
        );
    });
  }
}

async function loadGraph(
  engine: Engine,
  { name, graph }: StoredCollection,
  live: LiveFiles,
  index: VectorIndex,
): Promise<StoredPages | undefined> {
  if (graph === undefined) return undefined;
  return derived(engine, `${graph} is not usable, so the graph of "${name}" is being rebuilt`, () =>
    withLive(engine, graph, (file) => readGraph(file, lengthOf(live, graph), index)),
  );
}

/** Of rows whose codes are stored, the vectors need not be read. */
async function loadCodes(
  engine: Engine,
  { name, codes }: StoredCollection,
  live: LiveFiles,
  filling: Filling,
): Promise<void> {
  if (!codes) return;
  const { index } = filling;
  await derived(engine, `${codes.file} is not usable, so codes of "${name}" are being made anew`, () =>
    withLive(engine, codes.file, (file) =>
      readCodes(file, lengthOf(live, codes.file), codes, index, (block) => filling.takeCodes(block)),
    ),
  );
}

/** What is not there is made of the records when it is first wanted. */
async function loadPayload(
  engine: Engine,
  state: CollectionState,
  { name, payload, rowCount }: StoredCollection,
): Promise<void> {
  if (!payload || payload.rowCount > rowCount || !areSame(payload.fields, state.config.fields)) return;
  const { file } = payload;
  const consequence = `${file} is not usable, so the payload indexes of "${name}" are being made anew`;
  state.payload = await derived(engine, consequence, () =>
    withLive(engine, file, (opened) => readPayload(opened, payload)),
  );
  if (!state.payload) payloadOf(state)!.damagedFile = file;
}

/** Reads derived data: damage to it costs time, not records. */
async function derived<T>(
  engine: Engine,
  consequence: string,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof IsovecError) || !REBUILT_AFTER.includes(error.code)) throw error;
    engine.events.emit('warning', { code: error.code, message: `${consequence}: ${error.message}` });
    return undefined;
  }
}

const REBUILT_AFTER = ['CORRUPTION', 'FORMAT_VERSION'];

function lengthOf(live: LiveFiles, name: string): number {
  return live[name]?.bytes ?? 0;
}

/** @throws IsovecError CORRUPTION where the file is shorter */
function readFile(
  engine: Engine,
  name: string,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return withLive(engine, name, (file) => file.read(start, end - start));
}

async function withLive<T>(
  engine: Engine,
  name: string,
  read: (file: StorageFile) => Promise<T>,
): Promise<T> {
  const file = await openLive(engine, name);
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

/** @throws IsovecError CORRUPTION when it is gone: NOT_FOUND would say that there is no database */
async function openLive(engine: Engine, name: string): Promise<StorageFile> {
  try {
    return await engine.storage.open(name);
  } catch (cause) {
    if (!(cause instanceof IsovecError) || cause.code !== 'NOT_FOUND') throw cause;
    throw new IsovecError('CORRUPTION', `${name}: missing, though the manifest names it`, {
      details: { file: name },
      cause,
    });
  }
}

/**
 * A checkpoint moves what the log holds into the collections' files, so that the log can be cut. Writers wait only
 * while the log is rotated and the state noted; everything slow happens beside them.
 */
import type { TailRecord } from '../tables/record-tail.ts';
import { encodeTombstones } from '../tables/rows-file.ts';
import { RowsAppender } from './append-rows.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { encodeGraphFile } from './load-collection.ts';
import { dataFileName, type StoredCollection } from './manifest-state.ts';

/** What it costs, roughly, to link a vector again after opening: 3,000 a second with the default parameters. */
const LINK_SECONDS = 1 / 3000;
/** What it costs to write a graph image: 200 MB/s is a slow disk. */
const IMAGE_BYTES_PER_SECOND = 200e6;
/** Links, roughly, of one node: 2m at the ground, and the levels above. */
const IMAGE_BYTES_PER_LINK = 4;
/** Removed rows that are mended on the spot for an image's sake: half a second of work at most. */
const MENDED_FOR_IMAGE_MAX = 1000;

/** One collection as it was when the log was rotated. */
interface Snapshot {
  state: CollectionState;
  firstRow: number;
  endRow: number;
  records: (TailRecord | undefined)[];
  deadCount: number;
  tombstones: Uint8Array | undefined;
  graph: Uint8Array | undefined;
  graphSteps: number;
}

/** What a checkpoint is to store. */
export interface Noted {
  coveredSequence: number;
  nextCollectionId: number;
  snapshots: Snapshot[];
}

/** To be run with `engine.writing` held: what has been committed when the log is rotated is what the files will hold. */
export async function note(engine: Engine): Promise<Noted> {
  engine.checkWritable();
  const coveredSequence = await engine.journal.rotate();
  const { nextCollectionId } = engine;
  const snapshots = [...engine.collections.values()].map((state) => takeSnapshot(engine, state));
  return { coveredSequence, nextCollectionId, snapshots };
}

/** Makes files of what has been noted, and cuts the log. Nothing else may be stored meanwhile. */
export async function store(
  engine: Engine,
  { coveredSequence, nextCollectionId, snapshots }: Noted,
): Promise<void> {
  const lengths: Record<string, number> = {};
  const stored: { collection: StoredCollection; finish: () => void }[] = [];
  for (const snapshot of snapshots) stored.push(await storeSnapshot(engine, snapshot, lengths));

  const collections = stored.map(({ collection }) => collection);
  const state = { nextCollectionId, collections };
  const obsolete = await engine.journal.commitCheckpoint(coveredSequence, lengths, state, () => {
    for (const { finish } of stored) finish();
  });
  await engine.journal.removeCovered();
  for (const name of obsolete) await engine.storage.remove(name);
}

/** Is there a graph whose image is worth writing, though the log holds nothing? */
export function hasGraphToStore(engine: Engine): boolean {
  return [...engine.collections.values()].some(isGraphWorthStoring);
}

function takeSnapshot(engine: Engine, state: CollectionState): Snapshot {
  const { tail, rows } = state;
  const known = storedOf(engine, state)?.tombstones?.deadCount ?? 0;
  return {
    state,
    firstRow: tail.firstRow,
    endRow: tail.endRow,
    records: tail.records(),
    deadCount: rows.deadCount,
    tombstones: rows.deadCount > known ? encodeTombstones(rows, rows.rowCount) : undefined,
    graph: isGraphWorthStoring(state) ? encodeGraphFile(state.index.saveGraph()) : undefined,
    graphSteps: state.graphSteps,
  };
}

/** An image pays when linking again what it would save takes longer than writing it. */
function isGraphWorthStoring({ index, graphSteps, config }: CollectionState): boolean {
  const linkedCount = index.count - index.pendingCount;
  const imageBytes = linkedCount * config.index.m * 2 * IMAGE_BYTES_PER_LINK;
  const toMend = index.backlogCount - index.pendingCount;
  return (
    linkedCount > 0 &&
    toMend <= MENDED_FOR_IMAGE_MAX &&
    graphSteps * LINK_SECONDS > imageBytes / IMAGE_BYTES_PER_SECOND
  );
}

function storedOf(engine: Engine, { id }: CollectionState): StoredCollection | undefined {
  return engine.journal.state.collections.find((collection) => collection.id === id);
}

/**
 * Writes and flushes what is new of one collection.
 * @param lengths receives the length of each of its files
 * @returns what the manifest is to say of it, and what to do once it does
 */
async function storeSnapshot(
  engine: Engine,
  snapshot: Snapshot,
  lengths: Record<string, number>,
): Promise<{ collection: StoredCollection; finish: () => void }> {
  const { state, endRow } = snapshot;
  const { id, name, config, epoch, files } = state;
  const finishRows = await storeRows(engine, snapshot, lengths);
  const tombstones = await storeTombstones(engine, snapshot, lengths);
  const graph = await storeGraph(engine, snapshot, lengths);
  return {
    collection: {
      id,
      name,
      config,
      epoch,
      rowCount: endRow,
      files: files.names,
      ...(tombstones && { tombstones }),
      ...(graph !== undefined && { graph }),
    },
    finish: () => {
      finishRows();
      if (snapshot.graph) state.graphSteps -= snapshot.graphSteps;
    },
  };
}

async function storeRows(
  engine: Engine,
  { state, firstRow, endRow, records }: Snapshot,
  lengths: Record<string, number>,
): Promise<() => void> {
  const { files, rows, tail, config } = state;
  const live = engine.journal.files;
  const before = {
    rows: live[files.names.rows] ?? 0,
    vectors: live[files.names.vectors] ?? 0,
    records: live[files.names.records] ?? 0,
  };
  const note = (kinds: typeof before) => {
    for (const kind of ['rows', 'vectors', 'records'] as const) lengths[files.names[kind]] = kinds[kind];
  };
  if (endRow === firstRow) {
    if (endRow > 0) note(before);
    return () => {};
  }
  const appender = new RowsAppender(files, before, config.dimensions);
  await appender.append(rows, firstRow, records);
  const { lengths: grown, extents } = await appender.finish();
  note(grown);
  return () => {
    files.addExtents(extents);
    tail.advance(endRow);
  };
}

async function storeTombstones(
  engine: Engine,
  { state, tombstones, deadCount }: Snapshot,
  lengths: Record<string, number>,
): Promise<StoredCollection['tombstones']> {
  if (tombstones) {
    const file = dataFileName(state.id, 'tombstones', engine.journal.generation + 1);
    lengths[file] = await writeWhole(engine, file, tombstones);
    return { file, deadCount };
  }
  const before = storedOf(engine, state)?.tombstones;
  if (before) lengths[before.file] = engine.journal.files[before.file]!;
  return before;
}

async function storeGraph(
  engine: Engine,
  { state, graph }: Snapshot,
  lengths: Record<string, number>,
): Promise<string | undefined> {
  if (graph) {
    const file = dataFileName(state.id, 'graph', engine.journal.generation + 1);
    lengths[file] = await writeWhole(engine, file, graph);
    return file;
  }
  const before = storedOf(engine, state)?.graph;
  if (before !== undefined) lengths[before] = engine.journal.files[before]!;
  return before;
}

/** A new file, flushed. What a failed attempt left under its name goes. */
async function writeWhole(engine: Engine, name: string, bytes: Uint8Array): Promise<number> {
  const file = await engine.storage.open(name, { create: true });
  try {
    await file.truncate(0);
    await file.write(0, bytes);
    await file.flush();
  } finally {
    await file.close();
  }
  return bytes.length;
}

/**
 * A checkpoint moves what the log holds into the collections' files, so that the log can be cut. Writers wait only
 * while the log is rotated and the state noted; everything slow happens beside them.
 */
import type { LiveFile } from '../journal/manifest.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import { dataFileName } from '../tables/data-header.ts';
import type { TailRecord } from '../tables/record-tail.ts';
import { RowsAppender } from './append-rows.ts';
import { storeCodes } from './codes.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import { digestOf } from './digest.ts';
import type { Engine } from './engine.ts';
import { encodeGraphFile } from './load-collection.ts';
import type { StoredCodes, StoredCollection } from './manifest-state.ts';
import type { StoredReceipts } from './receipts.ts';

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
  /** Rows that have died since the last checkpoint. */
  deaths: number[];
  deadCount: number;
  graph: Uint8Array | undefined;
  /** The state's own, or those that are to take their place. */
  config: ResolvedConfig;
  index: VectorIndex;
  graphSteps: number;
}

/** What a checkpoint is to store. */
export interface Noted {
  coveredSequence: number;
  nextCollectionId: number;
  receipts: StoredReceipts;
  snapshots: StoreSnapshot[];
}

/**
 * Writes and flushes what was noted of one collection.
 * @param live receives each of its files
 */
export type StoreSnapshot = (live: Record<string, LiveFile>) => Promise<StoredSnapshot>;

export interface StoredSnapshot {
  /** What the manifest is to say of it. */
  collection: StoredCollection;
  /** Makes memory say so too, as soon as it does. */
  finish: () => void;
  /** Lets go of files that the manifest names no more, once they have no reader. */
  release?: () => Promise<void>;
}

/** A collection that is stored in another way than by appending to its files. */
export interface SnapshotSource {
  state: CollectionState;
  note: () => StoreSnapshot;
}

/** To be run with `engine.writing` held: what has been committed when the log is rotated is what the files will hold. */
export async function note(engine: Engine, specials: readonly SnapshotSource[] = []): Promise<Noted> {
  engine.checkWritable();
  const coveredSequence = await engine.journal.rotate();
  await engine.archiving?.note(coveredSequence, specials.length === 0);
  const { nextCollectionId, receipts } = engine.collections;
  const snapshots = [...engine.collections.values()].map((state) => {
    const special = specials.find((each) => each.state === state);
    if (special) return special.note();
    return noteSnapshot(engine, takeSnapshot(engine, state));
  });
  return { coveredSequence, nextCollectionId, receipts: receipts.stored(), snapshots };
}

/** Makes files of what has been noted, and cuts the log. Nothing else may be stored meanwhile. */
export async function store(
  engine: Engine,
  { coveredSequence, nextCollectionId, receipts, snapshots }: Noted,
): Promise<void> {
  const live: Record<string, LiveFile> = {};
  const stored: StoredSnapshot[] = [];
  for (const storeNoted of snapshots) stored.push(await storeNoted(live));

  await engine.archiving?.keep(coveredSequence);
  const collections = stored.map(({ collection }) => collection);
  const state = { nextCollectionId, collections, receipts };
  const obsolete = await engine.journal.commitCheckpoint(coveredSequence, live, state, () => {
    for (const { finish } of stored) finish();
  });
  engine.journal.announce();
  for (const { release } of stored) await release?.();
  for (const name of obsolete) await engine.storage.remove(name);
  // After them: while old files are there, the log still says what has become of them, should no manifest be readable.
  await engine.journal.removeCovered();
  await engine.archiving?.finish();
}

/** Is there a graph whose image is worth writing, though the log holds nothing? */
export function hasGraphToStore(engine: Engine): boolean {
  return [...engine.collections.values()].some(isGraphWorthStoring);
}

/** A collection that gets another index. @param onStored is called as soon as the manifest says so */
export function noteReplaced(
  engine: Engine,
  state: CollectionState,
  replaced: Pick<Snapshot, 'config' | 'index'>,
  onStored: () => void,
): StoreSnapshot {
  return noteSnapshot(engine, { ...takeSnapshot(engine, state), ...replaced }, onStored);
}

function noteSnapshot(engine: Engine, snapshot: Snapshot, onStored?: () => void): StoreSnapshot {
  return async (live) => {
    const stored = await storeSnapshot(engine, snapshot, live);
    const finish = () => {
      stored.finish();
      onStored?.();
    };
    return { ...stored, finish };
  };
}

function takeSnapshot({ journal }: Engine, state: CollectionState): Snapshot {
  const { tail, rows } = state;
  return {
    state,
    firstRow: tail.firstRow,
    endRow: tail.endRow,
    records: tail.records(),
    deaths: state.deaths.slice(),
    deadCount: rows.deadCount,
    graph: isGraphWorthStoring(state) ? graphFile(state, journal.generation + 1) : undefined,
    graphSteps: state.graphSteps,
    config: state.config,
    index: state.index,
  };
}

function graphFile({ id, index }: CollectionState, generation: number): Uint8Array | undefined {
  const image = index.saveGraph?.();
  return image && encodeGraphFile({ collectionId: id, kind: 'graph', number: generation }, image);
}

/** An image pays when linking again what it would save takes longer than writing it. */
function isGraphWorthStoring({ index, graphSteps, config }: CollectionState): boolean {
  const linkedCount = index.count - index.pendingCount;
  const imageBytes = linkedCount * config.index.m * 2 * IMAGE_BYTES_PER_LINK;
  const toMend = index.backlogCount - index.pendingCount;
  return (
    index.saveGraph !== undefined &&
    linkedCount > 0 &&
    toMend <= MENDED_FOR_IMAGE_MAX &&
    graphSteps * LINK_SECONDS > imageBytes / IMAGE_BYTES_PER_SECOND
  );
}

function storedOf(engine: Engine, { id }: CollectionState): StoredCollection | undefined {
  return engine.journal.state.collections.find((collection) => collection.id === id);
}

async function storeSnapshot(
  engine: Engine,
  snapshot: Snapshot,
  live: Record<string, LiveFile>,
): Promise<StoredSnapshot> {
  const { state, endRow, deadCount, config } = snapshot;
  const { id, name, epoch, files } = state;
  const finishRows = await storeRows(engine, snapshot, live);
  const codes = await storeSnapshotCodes(engine, snapshot, live);
  const graph = await storeGraph(engine, snapshot, live);
  return {
    collection: {
      id,
      name,
      config,
      epoch,
      rowCount: endRow,
      files: files.names,
      deadCount,
      ...(codes && { codes }),
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
  { state, firstRow, endRow, records, deaths }: Snapshot,
  live: Record<string, LiveFile>,
): Promise<() => void> {
  if (endRow === 0) return () => {};
  const { files, rows, tail } = state;
  const appender = new RowsAppender(engine, state, files, engine.journal.files);
  if (endRow > firstRow) await appender.append(rows, firstRow, records);
  const { files: grown, extents } = await appender.finish(deaths);
  Object.assign(live, grown);
  return () => {
    files.addExtents(extents);
    tail.advance(endRow);
    state.deaths.splice(0, deaths.length);
  };
}

async function storeSnapshotCodes(
  engine: Engine,
  { state, index, config, endRow }: Snapshot,
  live: Record<string, LiveFile>,
): Promise<StoredCodes | undefined> {
  if (config.quantization === 'none' || endRow === 0) return undefined;
  const before = storedOf(engine, state);
  const isSameKind = before?.config.quantization === config.quantization;
  return storeCodes(
    engine,
    { collectionId: state.id, index, endRow },
    isSameKind ? before.codes : undefined,
    live,
  );
}

async function storeGraph(
  engine: Engine,
  { state, graph }: Snapshot,
  live: Record<string, LiveFile>,
): Promise<string | undefined> {
  if (graph) {
    const { generation } = engine.journal;
    const file = dataFileName({ collectionId: state.id, kind: 'graph', number: generation + 1 });
    await writeWhole(engine, file, graph);
    live[file] = { bytes: graph.length, digest: await digestOf(graph, engine.checksum) };
    return file;
  }
  const before = storedOf(engine, state)?.graph;
  if (before !== undefined) live[before] = engine.journal.files[before]!;
  return before;
}

/** A new file, flushed. What a failed attempt left under its name goes. */
async function writeWhole(engine: Engine, name: string, bytes: Uint8Array): Promise<void> {
  const file = await engine.storage.open(name, { create: true });
  try {
    await file.truncate(0);
    await file.write(0, bytes);
    await file.flush();
  } finally {
    await file.close();
  }
}

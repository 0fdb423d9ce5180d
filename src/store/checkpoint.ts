/**
 * A checkpoint moves what the log holds into the collections' files, so that the log can be cut. Writers wait only
 * while the log is rotated and the state noted; everything slow happens beside them.
 */
import type { LiveFile } from '../journal/manifest.ts';
import type { PayloadIndex } from '../payload/payload-index.ts';
import type { GraphImage, VectorIndex } from '../search/vector-index.ts';
import type { TailRecord } from '../tables/record-tail.ts';
import { RowsAppender } from './append-rows.ts';
import { storeCodes } from './codes.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { storeGraph } from './graph-pages.ts';
import type { StoredCodes, StoredCollection, StoredPayload } from './manifest-state.ts';
import { payloadOf, storePayload } from './payload.ts';
import type { StoredReceipts } from './receipts.ts';
import type { StoredText } from './text/on-demand.ts';

/** What it costs, roughly, to link a vector again after opening: 3,000 a second with the default parameters. */
const LINK_SECONDS = 1 / 3000;
/** What it costs to write a graph image: 200 MB/s is a slow disk. */
const IMAGE_BYTES_PER_SECOND = 200e6;
/** Links, roughly, of one node: 2m at the ground, and the levels above. */
const IMAGE_BYTES_PER_LINK = 4;
/** What has changed is found at this rate, and what one link changes is so much: 40 pages. */
const LOOKED_AT_BYTES_PER_SECOND = 1e9;
const CHANGED_BYTES_PER_STEP = 20_000;
/** Walks over an image pass removed rows without their vectors, at random: so many at most, until they are mended. */
const DOOMED_IN_IMAGE_MAX = 1000;

/** One collection as it was when the log was rotated. */
interface Snapshot {
  state: CollectionState;
  firstRow: number;
  endRow: number;
  records: (TailRecord | undefined)[];
  /** Rows that have died since the last checkpoint. */
  deaths: number[];
  deadCount: number;
  /** Stands still until it is stored. */
  graph: GraphImage | undefined;
  /** The state's own, or those that are to take their place. */
  config: ResolvedConfig;
  index: VectorIndex;
  payload: PayloadIndex | undefined;
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
  const noteState = (state: CollectionState) => {
    const special = specials.find((each) => each.state === state);
    if (special) return special.note();
    return noteSnapshot(engine, takeSnapshot(engine, state));
  };
  try {
    const snapshots = [...engine.collections.values()].map(noteState);
    return { coveredSequence, nextCollectionId, receipts: receipts.stored(), snapshots };
  } catch (error) {
    letGo(engine);
    throw error;
  }
}

/** Makes files of what has been noted, and cuts the log. Nothing else may be stored meanwhile. */
export async function store(engine: Engine, noted: Noted): Promise<void> {
  try {
    await storeNoted(engine, noted);
  } finally {
    letGo(engine);
  }
}

function letGo(engine: Engine): void {
  for (const state of engine.collections.values()) {
    state.isGraphHeld = false;
    state.storing = undefined;
  }
  engine.onBacklog();
}

async function storeNoted(
  engine: Engine,
  { coveredSequence, nextCollectionId, receipts, snapshots }: Noted,
): Promise<void> {
  const live: Record<string, LiveFile> = {};
  const stored: StoredSnapshot[] = [];
  for (const storeNext of snapshots) stored.push(await storeNext(live));

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

/** Is there something derived that is worth writing, though the log holds nothing? */
export function hasDerivedToStore(engine: Engine): boolean {
  return [...engine.collections.values()].some(
    (state) => isGraphWorthStoring(engine, state) || isPayloadUnstored(engine, state),
  );
}

function isPayloadUnstored(engine: Engine, state: CollectionState): boolean {
  const { payload, rows } = state;
  if (!payload || rows.rowCount === 0) return false;
  const before = storedOf(engine, state)?.payload;
  return before === undefined || before.file === payload.damagedFile;
}

/** A collection that gets another index, or other indexed fields. @param onStored is called as soon as the manifest says so */
export function noteReplaced(
  engine: Engine,
  state: CollectionState,
  replaced: Partial<Pick<Snapshot, 'config' | 'index' | 'payload'>>,
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

function takeSnapshot(engine: Engine, state: CollectionState): Snapshot {
  const { tail, rows, index } = state;
  const graph = isGraphWorthStoring(engine, state) ? index.readGraph?.() : undefined;
  state.isGraphHeld = graph !== undefined;
  const records = tail.records();
  if (state.config.text) state.storing = records;
  return {
    state,
    firstRow: tail.firstRow,
    endRow: tail.endRow,
    records,
    deaths: state.deaths.slice(),
    deadCount: rows.deadCount,
    graph,
    graphSteps: state.graphSteps,
    config: state.config,
    index,
    payload: payloadOf(state),
  };
}

/** An image pays when linking again what it would save takes longer than writing it. */
function isGraphWorthStoring(engine: Engine, state: CollectionState): boolean {
  const { index, graphSteps, graphPages, config } = state;
  const linkedCount = index.count - index.pendingCount;
  const doomedCount = index.backlogCount - index.pendingCount;
  if (!index.readGraph || linkedCount === 0 || doomedCount > DOOMED_IN_IMAGE_MAX) return false;
  const imageBytes = linkedCount * config.index.m * 2 * IMAGE_BYTES_PER_LINK;
  const before = storedOf(engine, state)?.graph;
  const isStored = before !== undefined && graphPages?.file === before;
  const writtenBytes = isStored ? Math.min(imageBytes, graphSteps * CHANGED_BYTES_PER_STEP) : imageBytes;
  const seconds = imageBytes / LOOKED_AT_BYTES_PER_SECOND + writtenBytes / IMAGE_BYTES_PER_SECOND;
  return graphSteps * LINK_SECONDS > seconds;
}

function storedOf(engine: Engine, { id }: CollectionState): StoredCollection | undefined {
  return engine.journal.state.collections.find((collection) => collection.id === id);
}

async function storeSnapshotText(
  engine: Engine,
  { state, endRow }: Snapshot,
  live: Record<string, LiveFile>,
): Promise<StoredText | undefined> {
  if (!state.config.text || endRow === 0) return undefined;
  const { storeText } = await import('./text/on-demand.ts');
  return storeText(engine, state, endRow, live);
}

async function storeSnapshot(
  engine: Engine,
  snapshot: Snapshot,
  live: Record<string, LiveFile>,
): Promise<StoredSnapshot> {
  const { state, endRow, deadCount, config } = snapshot;
  const { id, name, epoch, files } = state;
  // First, since the graph stands still for it.
  const graph = await storeSnapshotGraph(engine, snapshot, live);
  const finishRows = await storeRows(engine, snapshot, live);
  const codes = await storeSnapshotCodes(engine, snapshot, live);
  const text = await storeSnapshotText(engine, snapshot, live);
  const payload = await storeSnapshotPayload(engine, snapshot, live);
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
      ...(graph && { graph: graph.file }),
      ...(text && { text: text.segments }),
      ...(payload && { payload }),
    },
    finish: () => {
      finishRows();
      graph?.finish();
      text?.finish();
    },
    ...(text && { release: text.release }),
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
    state.storing = undefined;
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

async function storeSnapshotPayload(
  engine: Engine,
  { state, payload, endRow }: Snapshot,
  live: Record<string, LiveFile>,
): Promise<StoredPayload | undefined> {
  if (!payload || endRow === 0) return undefined;
  const before = storedOf(engine, state);
  const isSameNumbering = before?.epoch === state.epoch;
  return storePayload(
    engine,
    state,
    { index: payload, endRow },
    isSameNumbering ? before.payload : undefined,
    live,
  );
}

async function storeSnapshotGraph(
  engine: Engine,
  { state, graph, graphSteps }: Snapshot,
  live: Record<string, LiveFile>,
): Promise<{ file: string; finish: () => void } | undefined> {
  const before = storedOf(engine, state)?.graph;
  if (!graph) {
    if (before === undefined) return undefined;
    live[before] = engine.journal.files[before]!;
    return { file: before, finish: () => {} };
  }
  const pages = await storeGraph(engine, state, graph, before, live);
  state.isGraphHeld = false;
  engine.onBacklog();
  const finish = () => {
    state.graphPages = pages;
    state.graphSteps -= graphSteps;
  };
  return { file: pages.file, finish };
}

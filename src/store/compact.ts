/**
 * Compaction writes each collection that has dead rows anew, without them and in insertion order, and renumbers. The
 * old files are the truth until the manifest names the new ones; the graph stays as it is, only its labels change.
 */
import type { Progress } from '../base/api.ts';
import type { LiveFile } from '../journal/manifest.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import { RecordTail } from '../tables/record-tail.ts';
import { RowTable } from '../tables/row-table.ts';
import { RowsAppender } from './append-rows.ts';
import { CollectionFiles } from './collection-files.ts';
import type { CollectionState, RawRecord } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { filesOf, growingFileNames, type StoredCollection } from './manifest-state.ts';

/** Records copied at a time: a few MB of them, whatever the collection's size. */
const ROWS_PER_STEP = 1024;

interface Rewritten {
  state: CollectionState;
  rows: RowTable;
  files: CollectionFiles;
  /** By old row. */
  newRows: Uint32Array;
}

/**
 * A checkpoint must have been made just before, and the engine's `writing` be held since.
 * @returns how many dead rows were dropped, and what to do once writers may go on: remove the old files
 */
export async function rewriteCollections(
  engine: Engine,
  onProgress: (progress: Progress) => void,
): Promise<{ recordsDropped: number; removeObsolete: () => Promise<void> }> {
  const garbage = [...engine.collections.values()].filter((state) => state.rows.deadCount > 0);
  const total = garbage.reduce((sum, state) => sum + state.rows.liveCount, 0);
  const recordsDropped = garbage.reduce((sum, state) => sum + state.rows.deadCount, 0);
  const { journal } = engine;
  const live = { ...journal.files };
  const collections = new Map(journal.state.collections.map((stored) => [stored.id, stored]));
  const rewritten: Rewritten[] = [];
  let done = 0;
  for (const state of garbage) {
    const { result, stored } = await rewriteCollection(engine, state, live, (count) => {
      done += count;
      onProgress({ phase: 'compact', done, total });
    });
    for (const name of filesOf(collections.get(state.id)!)) delete live[name];
    collections.set(state.id, stored);
    rewritten.push(result);
  }
  const stored = { ...journal.state, collections: [...collections.values()] };
  const oldFiles: CollectionFiles[] = [];
  const obsolete = await journal.commitCheckpoint(journal.coveredSequence, live, stored, () => {
    oldFiles.push(...rewritten.map(swap));
  });
  return {
    recordsDropped,
    removeObsolete: async () => {
      for (const files of oldFiles) await files.close();
      for (const name of obsolete) await engine.storage.remove(name);
    },
  };
}

/** Copies the live rows to files of the next epoch. @param live receives those files */
export async function rewriteCollection(
  engine: Engine,
  state: CollectionState,
  live: Record<string, LiveFile>,
  onCopied: (count: number) => void,
): Promise<{ result: Rewritten; stored: StoredCollection }> {
  const { id, name, config } = state;
  const epoch = state.epoch + 1;
  const names = growingFileNames(id, epoch);
  const files = new CollectionFiles(engine.storage, engine.cache, names, config.dimensions, []);
  const appender = new RowsAppender(engine, { id, epoch, config }, files, {});
  const rows = new RowTable();
  const oldRows = state.rows.rowsInOrder();
  const newRows = new Uint32Array(state.rows.rowCount).fill(NO_ROW);
  for (let start = 0; start < oldRows.length; start += ROWS_PER_STEP) {
    const step = oldRows.subarray(start, start + ROWS_PER_STEP);
    const records = (await state.read(step, { body: true, vector: true })) as RawRecord[];
    for (const oldRow of step) newRows[oldRow] = rows.put(state.rows.idBytes(oldRow)).row;
    await appender.append(rows, start, records);
    onCopied(step.length);
  }
  const { rowCount } = rows;
  const stored: StoredCollection = { id, name, config, epoch, rowCount, files: names, deadCount: 0 };
  if (rowCount > 0) {
    const { files: written, extents } = await appender.finish([]);
    Object.assign(live, written);
    files.addExtents(extents);
  }
  return { result: { state, rows, files, newRows }, stored };
}

/** The manifest names the new files: so does memory. @returns the old ones, which readers may still use */
function swap({ state, rows, files, newRows }: Rewritten): CollectionFiles {
  const oldFiles = state.files;
  for (const scan of state.scans) scan.renumber(newRows);
  state.rows = rows;
  state.files = files;
  state.tail = new RecordTail(rows.rowCount);
  state.epoch++;
  state.index.renumberAll(newRows);
  // The image went with the old numbers; it is worth writing as soon as there is a graph.
  state.graphSteps += state.index.count;
  return oldFiles;
}

import type { Fields } from '../base/api.ts';
import type { Calibration } from '../search/calibration.ts';
import { type DataFileKind, dataFileName } from '../tables/data-header.ts';
import type { GrowingFiles } from './collection-files.ts';
import type { ResolvedConfig } from './config.ts';
import type { StoredReceipts } from './receipts.ts';

/** What the manifest says of the collections. */
export interface DatabaseState {
  nextCollectionId: number;
  collections: StoredCollection[];
  /** Left out by versions that had none. */
  receipts?: StoredReceipts;
}

export interface StoredCollection {
  id: number;
  name: string;
  config: ResolvedConfig;
  /** Goes up with every compaction, which renumbers the rows. */
  epoch: number;
  /** Rows stored in the growing files. They are not there while this is 0. */
  rowCount: number;
  files: GrowingFiles;
  /** How many of them are dead, as the files say. */
  deadCount: number;
  /** Of a quantised collection, once they have been stored; derived data, made anew when damaged. */
  codes?: StoredCodes;
  /** Left out until the graph has been stored; derived data, rebuilt when damaged. */
  graph?: string;
  /** Of a collection with text, once any has been stored: by rows, without gaps; derived data, made anew when damaged. */
  text?: StoredSegment[];
  /** Where fields are indexed, once they have been stored; derived data, made anew when damaged. */
  payload?: StoredPayload;
}

/** A file that grows until the codes change, or the rows' numbers do. */
export interface StoredCodes {
  file: string;
  /** How many rows it has the codes of. */
  rowCount: number;
  calibration?: Calibration;
}

/** A file of the terms of consecutive rows; written once. */
export interface StoredSegment {
  file: string;
  firstRow: number;
  rowCount: number;
  bytes: number;
}

/** A file that grows until other fields are indexed, or the rows get other numbers. */
export interface StoredPayload {
  file: string;
  /** How many rows it has. */
  rowCount: number;
  /** In the order of its columns. */
  fields: Fields;
}

export const INITIAL_STATE: DatabaseState = { nextCollectionId: 1, collections: [] };

export function growingFileNames(collectionId: number, epoch: number): GrowingFiles {
  const name = (kind: DataFileKind) => dataFileName({ collectionId, kind, number: epoch });
  return { rows: name('rows'), vectors: name('vectors'), records: name('records') };
}

/** All that the manifest names of a collection. */
export function filesOf({ files, rowCount, codes, graph, payload, text = [] }: StoredCollection): string[] {
  const names = rowCount > 0 ? [files.rows, files.records, files.vectors] : [];
  if (codes) names.push(codes.file);
  if (graph !== undefined) names.push(graph);
  for (const { file } of text) names.push(file);
  if (payload) names.push(payload.file);
  return names;
}

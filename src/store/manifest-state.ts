import type { GrowingFiles } from './collection-files.ts';
import type { ResolvedConfig } from './config.ts';

/** What the manifest says of the collections. */
export interface DatabaseState {
  nextCollectionId: number;
  collections: StoredCollection[];
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
  /** Left out while no stored row is dead. */
  tombstones?: { file: string; deadCount: number };
  /** Left out until the graph has been stored; derived data, rebuilt when damaged. */
  graph?: string;
}

export const INITIAL_STATE: DatabaseState = { nextCollectionId: 1, collections: [] };

export function growingFileNames(collectionId: number, epoch: number): GrowingFiles {
  const name = (kind: string) => dataFileName(collectionId, kind, epoch);
  return { rows: name('rows'), vectors: name('vectors'), records: name('records') };
}

/** @param number tells apart the files of one kind: the epoch, or the generation of the manifest that first names it */
export function dataFileName(collectionId: number, kind: string, number: number): string {
  return `data-${collectionId}-${kind}-${number}`;
}

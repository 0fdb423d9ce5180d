/** The exact neighbours of every query, by isovec's own flat scan. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '../dist/index.node.js';
import type { Dataset } from './datasets/dataset.ts';
import { rowOf } from './datasets/rows.ts';
import { TOP_K } from './engine.ts';
import { dataFolder } from './folders.ts';
import { COSINE_TOLERANCE, cosine } from './recall.ts';

/** How many queries are also answered by a plain loop, so that the judge itself is judged. */
const CHECKED_QUERY_COUNT = 20;
const RECORDS_PER_BATCH = 5000;

/** For each query, the cosine of its TOP_K-th nearest neighbour. */
export async function exactThresholds(data: Dataset): Promise<Float32Array> {
  const key = createHash('sha256').update(data.base).update(data.queries).update(`top ${TOP_K}`);
  const file = join(dataFolder, `exact-${data.count}-${key.digest('hex').slice(0, 16)}.f32`);
  if (!existsSync(file)) writeFileSync(file, await scan(data));
  return new Float32Array(new Uint8Array(readFileSync(file)).buffer);
}

async function scan(data: Dataset): Promise<Float32Array> {
  const { base, queries, queryCount, dimensions } = data;
  const database = await open('exact neighbours', { storage: 'memory' });
  const collection = await database.collection('vectors', {
    dimensions,
    index: { type: 'flat' },
  });
  for (let first = 0; first < data.count; first += RECORDS_PER_BATCH) {
    const end = Math.min(first + RECORDS_PER_BATCH, data.count);
    const rows = Array.from({ length: end - first }, (_, offset) => first + offset);
    await collection.insert(rows.map((row) => ({ id: String(row), vector: rowOf(base, dimensions, row) })));
  }
  const thresholds = new Float32Array(queryCount);
  for (let query = 0; query < queryCount; query++) {
    const vector = rowOf(queries, dimensions, query);
    const hits = await collection.query({ vector, topK: TOP_K, exact: true, include: [] });
    thresholds[query] = cosine(data, query, Number(hits[TOP_K - 1]?.id));
  }
  await database.close();
  check(thresholds, data);
  return thresholds;
}

function check(thresholds: Float32Array, data: Dataset): void {
  for (let query = 0; query < CHECKED_QUERY_COUNT; query++) {
    const cosines = Float64Array.from({ length: data.count }, (_, row) => cosine(data, query, row)).sort();
    const expected = cosines[data.count - TOP_K] ?? 0;
    if (Math.abs((thresholds[query] ?? 0) - expected) > COSINE_TOLERANCE) {
      throw new Error(`The flat scan is wrong: query ${query}'s ${TOP_K}th nearest has cosine ${expected}`);
    }
  }
}

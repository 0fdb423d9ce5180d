/** The same filter, of 1%, asked of edgevec and of isovec. */
import { readFileSync } from 'node:fs';
import { open } from '../../dist/index.node.js';
import type { Dataset } from '../datasets/dataset.ts';
import { random } from '../datasets/random.ts';
import { rowOf } from '../datasets/rows.ts';
import { EF_CONSTRUCTION, M, TOP_K } from '../engine.ts';
import { importPeer, peerFile } from '../engines/peer.ts';
import { quantile } from '../measure.ts';
import { table } from '../table.ts';

const SHARE = 0.01;
const QUERIES = 100;
/** Its ids count from 1. */
const FIRST_ID = 1;

interface EdgeVecModule {
  default(options: { module_or_path: Uint8Array }): Promise<unknown>;
  EdgeVecConfig: new (
    dimensions: number,
  ) => { m: number; ef_construction: number; ef_search: number; metric: string };
  EdgeVec: new (
    config: unknown,
  ) => {
    insertWithMetadata(vector: Float32Array, metadata: object): number;
    searchWithFilter(query: Float32Array, filter: string, count: number): { id: number }[];
  };
}

export async function compareEdgeVec(data: Dataset, count: number, seed: number): Promise<string> {
  const { base, dimensions, queries } = data;
  const share = random(seed);
  const shares = Array.from({ length: count }, () => share());
  const { default: start, EdgeVec, EdgeVecConfig } = await importPeer<EdgeVecModule>('edgevec/edgevec.js');
  await start({ module_or_path: readFileSync(peerFile('edgevec/edgevec_bg.wasm')) });
  // Under its cosine it does not find the true neighbours; of vectors of length 1, l2 ranks alike.
  const config = new EdgeVecConfig(dimensions);
  Object.assign(config, { m: M, ef_construction: EF_CONSTRUCTION, ef_search: 64, metric: 'l2' });
  const edgevec = new EdgeVec(config);
  const database = await open('edgevec', { storage: 'memory' });
  const fields = { share: 'number' } as const;
  const collection = await database.collection('c', { dimensions, fields });
  const metadata = shares.map((each) => ({ share: Math.floor(each * 1e6) }));
  for (let row = 0; row < count; row++)
    edgevec.insertWithMetadata(rowOf(base, dimensions, row), metadata[row]!);
  await collection.insert(
    metadata.map((each, row) => ({ id: `${row}`, vector: rowOf(base, dimensions, row), metadata: each })),
  );
  const bound = SHARE * 1e6;
  const outcome = {
    edgevec: { hits: 0, found: 0, times: [] as number[] },
    isovec: { hits: 0, found: 0, times: [] as number[] },
  };
  for (let at = 0; at < QUERIES; at++) {
    const vector = rowOf(queries, dimensions, at);
    const query = { vector, topK: TOP_K, filter: { share: { $lt: bound } }, include: [] };
    const right = new Set((await collection.query({ ...query, exact: true })).map(({ id }) => id));
    const note = (name: keyof typeof outcome, ids: string[], startMs: number) => {
      outcome[name].times.push(performance.now() - startMs);
      outcome[name].hits += ids.length;
      outcome[name].found += ids.filter((id) => right.has(id)).length;
    };
    let startMs = performance.now();
    const theirs = edgevec.searchWithFilter(vector, `share < ${bound}`, TOP_K);
    note(
      'edgevec',
      theirs.map(({ id }) => `${id - FIRST_ID}`),
      startMs,
    );
    startMs = performance.now();
    note(
      'isovec',
      (await collection.query(query)).map(({ id }) => id),
      startMs,
    );
  }
  await database.close();
  const rows = Object.entries(outcome).map(([name, { hits, found, times }]) => [
    name,
    (hits / QUERIES).toFixed(1),
    (found / QUERIES / TOP_K).toFixed(3),
    quantile(times, 0.5).toFixed(3),
  ]);
  const heading = `\n${count} vectors, a filter that ${SHARE * 100}% match, top ${TOP_K}\n\n`;
  return heading + table(['engine', 'hits', 'recall@10', 'p50, ms'], rows);
}

/**
 * `npm run bench:churn`: a collection whose every vector has been replaced five times, in random order, beside a fresh one
 * of the same vectors. Through the public API, in Node, on the file system.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Collection, type Database, open } from '../../dist/index.node.js';
import { type Dataset, type DatasetName, loadDataset, prepareDataset } from '../datasets/dataset.ts';
import { random } from '../datasets/random.ts';
import { rowOf } from '../datasets/rows.ts';
import { EF_CONSTRUCTION, M, TOP_K } from '../engine.ts';
import type { Quantization } from '../engines/isovec.ts';
import { dataFolder } from '../folders.ts';
import { table } from '../table.ts';

const ROUNDS = 5;
const RECORDS_PER_BATCH = 200;
const EFS: readonly number[] = [40, 80, 160];
const SEED = 5;
const POLL_MS = 20;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: 'glove-100' },
    count: { type: 'string', default: '20000' },
    quantization: { type: 'string', default: 'none,int8' },
  },
});

interface Outcome {
  recalls: number[];
  memoryBytes: number;
  diskBytes: number;
}

/** Ids are numbers of rows in the data, counted on through every round: id i holds row i modulo the data's size. */
class Churn {
  readonly #data: Dataset;
  readonly #collection: Collection;
  readonly #held: number[] = [];
  readonly #deleted = new Set<string>();

  constructor(data: Dataset, collection: Collection) {
    this.#data = data;
    this.#collection = collection;
  }

  /** @param first of so many consecutive ids */
  async insert(first: number, count: number): Promise<void> {
    for (let start = first; start < first + count; start += RECORDS_PER_BATCH) {
      const ids = Array.from(
        { length: Math.min(RECORDS_PER_BATCH, first + count - start) },
        (_, at) => start + at,
      );
      await this.#insert(ids);
      this.#held.push(...ids);
    }
  }

  /** Each of those held goes for one that is new, in random order. */
  async replaceAll(firstNew: number, chance: () => number): Promise<void> {
    let next = firstNew;
    const left = this.#held.splice(0);
    while (left.length > 0) {
      const gone = Array.from({ length: Math.min(RECORDS_PER_BATCH, left.length) }, () => {
        const at = Math.floor(chance() * left.length);
        const id = left[at] ?? 0;
        left[at] = left.at(-1) ?? 0;
        left.pop();
        return String(id);
      });
      await this.#collection.delete(gone);
      for (const id of gone) this.#deleted.add(id);
      const ids = gone.map(() => next++);
      await this.#insert(ids);
      this.#held.push(...ids);
    }
  }

  async untilIndexed(): Promise<void> {
    for (;;) {
      const { count, indexed } = await this.#collection.info();
      if (indexed === count) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** @throws Error when a deleted id is returned */
  async recall(ef: number): Promise<number> {
    const { queries, queryCount, dimensions } = this.#data;
    let found = 0;
    for (let query = 0; query < queryCount; query++) {
      const vector = rowOf(queries, dimensions, query);
      const exact = await this.#collection.query({ vector, topK: TOP_K, exact: true, include: [] });
      const hits = await this.#collection.query({ vector, topK: TOP_K, ef, include: [] });
      const last = exact.at(-1)?.score ?? 0;
      for (const { id, score } of hits) {
        if (this.#deleted.has(id)) throw new Error(`${id} has been deleted and was returned`);
        if (score >= last) found++;
      }
    }
    return found / (queryCount * TOP_K);
  }

  #insert(ids: readonly number[]): Promise<unknown> {
    const { base, dimensions, count } = this.#data;
    return this.#collection.insert(
      ids.map((id) => ({ id: String(id), vector: rowOf(base, dimensions, id % count) })),
    );
  }
}

async function measure(database: Database, churn: Churn): Promise<Outcome> {
  await churn.untilIndexed();
  const recalls: number[] = [];
  for (const ef of EFS) recalls.push(await churn.recall(ef));
  await database.checkpoint();
  const { memoryBytes, diskBytes } = await database.stats();
  return { recalls, memoryBytes, diskBytes };
}

/** The rows held in the end are those of the fresh collection, whatever the rounds before. */
async function run(data: Dataset, quantization: Quantization): Promise<Record<string, Outcome>> {
  const folder = mkdtempSync(join(dataFolder, 'churn-'));
  const config = {
    dimensions: data.dimensions,
    quantization,
    index: { m: M, efConstruction: EF_CONSTRUCTION },
  };
  try {
    const fresh = await open(join(folder, 'fresh'));
    const first = new Churn(data, await fresh.collection('vectors', config));
    await first.insert(0, data.count);
    const outcomes: Record<string, Outcome> = { 'fresh build': await measure(fresh, first) };
    await fresh.close();

    const replaced = await open(join(folder, 'replaced'));
    const churn = new Churn(data, await replaced.collection('vectors', config));
    await churn.insert(0, data.count);
    const chance = random(SEED);
    for (let round = 1; round <= ROUNDS; round++) await churn.replaceAll(round * data.count, chance);
    outcomes['replaced five times'] = await measure(replaced, churn);
    await replaced.compact();
    outcomes['and compacted'] = await measure(replaced, churn);
    await replaced.close();
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const name = options.data as DatasetName;
await prepareDataset(name);
const data = await loadDataset(name, Number(options.count));
const rows: string[][] = [];
for (const quantization of options.quantization.split(',') as Quantization[]) {
  const outcomes = Object.entries(await run(data, quantization));
  const fresh = outcomes[0]?.[1];
  for (const [what, { recalls, memoryBytes, diskBytes }] of outcomes)
    rows.push([
      quantization,
      what,
      ...recalls.map((recall) => recall.toFixed(4)),
      `${(memoryBytes / 1e6).toFixed(1)} MB (${(memoryBytes / (fresh?.memoryBytes ?? 1)).toFixed(2)}x)`,
      `${(diskBytes / 1e6).toFixed(1)} MB (${(diskBytes / (fresh?.diskBytes ?? 1)).toFixed(2)}x)`,
    ]);
}
console.log(`${data.name}, ${data.count} vectors, recall@${TOP_K}\n`);
console.log(table(['codes', '', ...EFS.map((ef) => `ef ${ef}`), 'memory', 'files'], rows));

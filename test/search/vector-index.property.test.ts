import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Metric } from '../../src/base/api.ts';
import type { VectorIndex, VectorIndexConfig } from '../../src/search/vector-index.ts';
import {
  expectExact,
  expectSound,
  loadGraph,
  METRICS,
  makeArrangingIndex,
  makeHnswlibIndex,
  makeIndex,
  type Oracle,
  oracleOf,
  saveGraph,
} from './model.ts';

/** Everything that can be done to an index. Numbers choose among the rows held, so that most operations meet one. */
type Operation =
  | { do: 'add'; row: number; seed: number }
  | { do: 'replace' | 'remove'; which: number; seed: number }
  | { do: 'renumber'; which: number; to: number }
  | { do: 'link'; count: number }
  | { do: 'compact' | 'reopen' | 'clear' }
  | { do: 'query'; seed: number; topK: number; ef: number };

const ROWS = 300;
const row = fc.nat(ROWS - 1);
const which = fc.nat();
const seed = fc.nat(4000);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('add' as const), row, seed }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('replace' as const, 'remove' as const), which, seed }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('renumber' as const), which, to: row }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('link' as const), count: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('compact' as const, 'reopen' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('query' as const),
      seed,
      topK: fc.integer({ min: 1, max: 30 }),
      ef: fc.integer({ min: 1, max: 400 }),
    }),
  },
);
const clear: fc.Arbitrary<Operation> = fc.constant({ do: 'clear' });

/** Small whole numbers, so that duplicates and equal distances are common; never zero. */
function gridVector(dimensions: number, number: number): Float32Array {
  let rest = number;
  const vector = Float32Array.from({ length: dimensions }, () => {
    const value = (rest % 5) - 2;
    rest = Math.floor(rest / 5);
    return value;
  });
  if (vector.every((value) => value === 0)) vector[0] = 1;
  return vector;
}

type Config = Partial<VectorIndexConfig> & { metric: Metric; dimensions: number };
type MakeIndex = (config: Config) => VectorIndex | Promise<VectorIndex>;

class Run {
  readonly #make: MakeIndex;
  readonly #config: Config;
  readonly #oracle: Oracle;
  #index: VectorIndex;
  #model = new Map<number, Float32Array>();
  /** Rows that the index should count as not in the graph. */
  #pending = new Set<number>();

  private constructor(make: MakeIndex, config: Config, index: VectorIndex) {
    this.#make = make;
    this.#config = config;
    this.#oracle = oracleOf(config);
    this.#index = index;
  }

  static async begin(make: MakeIndex, config: Config): Promise<Run> {
    return new Run(make, config, await make(config));
  }

  async do(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'add':
        if (!this.#model.has(operation.row)) this.#add(operation.row, operation.seed);
        break;
      case 'replace':
      case 'remove': {
        const row = this.#choose(operation.which);
        if (row === undefined) break;
        this.#remove(row);
        assert.equal(this.#index.remove(row), false);
        if (operation.do === 'replace') this.#add(row, operation.seed);
        break;
      }
      case 'renumber':
        this.#renumber(operation.which, operation.to);
        break;
      case 'link':
        this.#link(operation.count);
        break;
      case 'compact':
        this.#compact();
        break;
      case 'reopen':
        await this.#reopen();
        break;
      case 'clear':
        for (const row of [...this.#model.keys()]) this.#remove(row);
        break;
      case 'query':
        this.#query(gridVector(this.#config.dimensions, operation.seed), operation.topK, operation.ef);
    }
    this.check();
  }

  check(): void {
    assert.equal(this.#index.count, this.#model.size);
    assert.equal(this.#index.pendingCount, this.#pending.size);
    assert(this.#index.backlogCount >= (this.#isFlat ? 0 : this.#pending.size));
  }

  get #isFlat(): boolean {
    return this.#config.type === 'flat';
  }

  #choose(which: number): number | undefined {
    return this.#model.size === 0 ? undefined : [...this.#model.keys()][which % this.#model.size];
  }

  #add(row: number, seed: number): void {
    const vector = gridVector(this.#config.dimensions, seed);
    this.#index.add(row, vector);
    this.#model.set(row, vector);
    this.#pending.add(row);
    assert.equal(this.#index.has(row), true);
  }

  #remove(row: number): void {
    assert.equal(this.#index.remove(row), true);
    this.#model.delete(row);
    this.#pending.delete(row);
    assert.equal(this.#index.has(row), false);
  }

  #move(from: number, to: number): void {
    this.#model.set(to, this.#model.get(from)!);
    this.#model.delete(from);
    if (this.#pending.delete(from)) this.#pending.add(to);
  }

  #renumber(which: number, to: number): void {
    const from = this.#choose(which);
    if (from === undefined || this.#model.has(to)) return;
    this.#index.renumber(from, to);
    this.#move(from, to);
    assert.equal(this.#index.has(to), true);
    assert.equal(this.#index.has(from), false);
  }

  /** Pending rows are linked in an order of the index's own, so all or none is what the model can follow. None are as
   *  long as there are removed ones to see to, or rows to be put in order. */
  #link(count: number): void {
    const backlog = this.#index.backlogCount;
    const steps = this.#index.link(count);
    assert(steps <= Math.min(count, backlog));
    assert.equal(this.#index.backlogCount, backlog - steps);
    if (this.#isFlat || this.#index.pendingCount === this.#pending.size) return;
    while (this.#index.backlogCount > 0) this.#index.link(1 + count);
    this.#pending.clear();
  }

  #compact(): void {
    const newRows = new Uint32Array(ROWS).fill(0xffff_ffff);
    const held = [...this.#model.keys()].sort((a, b) => a - b);
    for (const [to, from] of held.entries()) newRows[from] = to;
    this.#index.renumberAll(newRows);
    for (const [to, from] of held.entries()) if (from !== to) this.#move(from, to);
  }

  /** All at once, with something for the rows that are not held. */
  #addCodesTo(reopened: VectorIndex): void {
    const { codeBytes } = reopened;
    const codes = new Uint8Array(ROWS * codeBytes).fill(7);
    for (const row of this.#model.keys()) codes.set(this.#index.readCode(row), row * codeBytes);
    reopened.addCodes(0, codes, (row) => this.#model.has(row));
  }

  #addEachTo(reopened: VectorIndex): void {
    for (const [row, vector] of this.#model)
      if (reopened.codeBytes > 0 && row % 2 === 0) reopened.addCode(row, this.#index.readCode(row));
      else reopened.add(row, vector);
  }

  /** As the store does it: the graph from its image, vectors or codes from their own file, then what the image did not know. */
  async #reopen(): Promise<void> {
    const image = this.#index.readGraph && saveGraph(this.#index);
    const linked = [...this.#model.keys()].filter((row) => !this.#pending.has(row));
    const reopened = await this.#make(this.#config);
    if (image) loadGraph(reopened, image);
    else for (const row of linked) this.#pending.add(row);
    for (const row of this.#model.keys())
      assert.equal(reopened.has(row), image !== undefined && !this.#isFlat && linked.includes(row));
    if (reopened.codeBytes > 0 && this.#model.size % 2 === 0) this.#addCodesTo(reopened);
    else this.#addEachTo(reopened);
    assert.equal(reopened.pendingCount, this.#pending.size);
    this.#index = reopened;
  }

  #query(query: Float32Array, topK: number, ef: number): void {
    expectExact(this.#index.scan(query, topK), this.#model, this.#oracle, query, topK);
    const found = this.#index.search(query, topK, ef);
    expectSound(found, this.#model, this.#oracle, query);
    assert.equal(found.rows.length, Math.min(topK, this.#model.size));
    const all = this.#index.scan(query, this.#model.size);
    const distances = new Map(Array.from(all.rows, (row, i) => [row, all.distances[i]]));
    for (const [i, row] of found.rows.entries()) assert.equal(found.distances[i], distances.get(row));
    this.#queryAmong(query, topK, ef);
    this.#querySeveral(query, topK, ef);
  }

  /** To the bit as each alone, by the graph and exactly. */
  #querySeveral(query: Float32Array, topK: number, ef: number): void {
    const { dimensions } = this.#config;
    const others = [ef, ef + topK, topK].map((number) => gridVector(dimensions, number));
    const queries = [query, ...others].slice(0, 2 + (ef % 3));
    const index = this.#index;
    if (!index.searchSeveral) return;
    assert.deepEqual(
      index.searchSeveral(queries, topK, ef),
      queries.map((each) => index.search(each, topK, ef)),
    );
    assert.deepEqual(
      index.searchSeveral(queries, topK, 0),
      queries.map((each) => index.scan(each, topK)),
    );
  }

  /** Every so-manieth row, held or not. */
  #queryAmong(query: Float32Array, topK: number, step: number): void {
    const rows = Array.from({ length: Math.ceil(ROWS / step) }, (_, i) => i * step);
    const held = new Map([...this.#model].filter(([row]) => row % step === 0));
    expectExact(this.#index.searchAmong(query, rows, topK), held, this.#oracle, query, topK);
    if (!this.#index.searchAllowed || !this.#index.scanAllowed) return;
    const allowed = new Uint32Array(Math.ceil(ROWS / 32));
    for (const each of rows) allowed[each >>> 5]! |= 1 << (each & 31);
    expectExact(this.#index.scanAllowed(query, allowed, topK), held, this.#oracle, query, topK);
    const ef = Math.max(topK, step);
    for (const walk of [
      { ef, nearMin: 0, efAllowed: 0 },
      { ef: 1, nearMin: 0, efAllowed: ef },
      { ef: topK, nearMin: 1, efAllowed: ef },
    ]) {
      const found = this.#index.searchAllowed(query, allowed, topK, walk);
      expectSound(found, held, this.#oracle, query);
      assert(found.rows.length <= Math.min(topK, held.size));
    }
  }
}

/** Components beyond int8's clip, and within it. */
const QUANTIZATIONS: Record<string, Partial<VectorIndexConfig>[]> = {
  float32: [{}],
  int8: [
    { quantization: 'int8', calibration: { clip: 0.3 } },
    { quantization: 'int8', calibration: { clip: 2 } },
  ],
  binary: [{ quantization: 'binary' }],
};

const ENGINES: { type: 'hnsw' | 'flat'; engine: string; make: MakeIndex; kinds: string[]; runs: number }[] = [
  { type: 'hnsw', engine: 'isovec', make: makeIndex, kinds: ['float32', 'int8'], runs: 40 },
  {
    type: 'hnsw',
    engine: 'isovec, putting rows in order',
    make: makeArrangingIndex,
    kinds: ['float32', 'int8', 'binary'],
    runs: 40,
  },
  {
    type: 'hnsw',
    engine: 'isovec, with codes of links',
    make: (config) => makeIndex({ ...config, linkCodes: true }),
    kinds: ['float32', 'int8'],
    runs: 20,
  },
  { type: 'flat', engine: 'isovec', make: makeIndex, kinds: ['float32', 'int8'], runs: 40 },
  // a tenth as fast
  { type: 'hnsw', engine: 'hnswlib-wasm', make: makeHnswlibIndex, kinds: ['float32'], runs: 10 },
];

for (const { type, engine, make, kinds, runs } of ENGINES)
  for (const metric of METRICS)
    for (const kind of kinds)
      test(`${engine}, ${type}, ${metric}, ${kind}: any sequence of operations leaves what a plain map would hold`, async () => {
        const graph = fc.record({
          dimensions: fc.constantFrom(1, 2, 3, 5),
          m: fc.constantFrom(2, 4, 16),
          efConstruction: fc.constantFrom(1, 10, 60),
        });
        await fc.assert(
          fc.asyncProperty(
            graph,
            fc.constantFrom(...QUANTIZATIONS[kind]!),
            fc.array(fc.oneof({ weight: 60, arbitrary: operation }, { weight: 1, arbitrary: clear }), {
              minLength: 50,
              maxLength: 400,
              size: 'max',
            }),
            async (graph, quantization, operations) => {
              const run = await Run.begin(make, { type, metric, ...graph, ...quantization });
              for (const operation of operations) await run.do(operation);
            },
          ),
          { numRuns: runs, seed: 11, endOnFailure: true },
        );
      });

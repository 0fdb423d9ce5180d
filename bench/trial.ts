/** Runs one engine over the data and times it. The same code runs in a Node process and in a page. */
import { type Engine, type Footprint, REOPEN_EF, type SearchPass, TOP_K } from './engine.ts';

/** Queries in one `searchMany` call. */
const QUERIES_PER_CALL = 100;

export class Trial<Vector> {
  readonly #engine: Engine<Vector>;
  readonly #base: Float32Array;
  readonly #dimensions: number;
  readonly #queries: Vector[];

  constructor(engine: Engine<Vector>, base: Float32Array, queries: Float32Array, dimensions: number) {
    this.#engine = engine;
    this.#base = base;
    this.#dimensions = dimensions;
    this.#queries = this.#encode(queries, 0, queries.length / dimensions);
  }

  async start(): Promise<void> {
    await this.#engine.create(this.#dimensions, this.#base.length / this.#dimensions);
  }

  async add(from: number, to: number): Promise<number> {
    const vectors = this.#encode(this.#base, from, to);
    const startMs = performance.now();
    await this.#engine.add(from, vectors);
    return performance.now() - startMs;
  }

  async search(ef: number): Promise<SearchPass> {
    const labels: number[] = [];
    const latenciesMs: number[] = [];
    const passStartMs = performance.now();
    let startMs = passStartMs;
    for (const query of this.#queries) {
      const answer = this.#engine.search(query, ef);
      const nearest = answer instanceof Promise ? await answer : answer;
      for (let rank = 0; rank < TOP_K; rank++) labels.push(nearest[rank] ?? -1);
      const endMs = performance.now();
      latenciesMs.push(endMs - startMs);
      startMs = endMs;
    }
    return { labels, latenciesMs, elapsedMs: startMs - passStartMs };
  }

  async searchMany(ef: number): Promise<number | undefined> {
    if (this.#engine.searchMany === undefined) return undefined;
    const startMs = performance.now();
    for (let first = 0; first < this.#queries.length; first += QUERIES_PER_CALL) {
      await this.#engine.searchMany(this.#queries.slice(first, first + QUERIES_PER_CALL), ef);
    }
    return performance.now() - startMs;
  }

  async reopen(): Promise<number | undefined> {
    const query = this.#queries[0];
    if (query === undefined || this.#engine.store === undefined || this.#engine.reopen === undefined) {
      return undefined;
    }
    await this.#engine.store();
    const startMs = performance.now();
    await this.#engine.reopen();
    await this.#engine.search(query, REOPEN_EF);
    return performance.now() - startMs;
  }

  footprint(): Promise<Footprint> {
    return this.#engine.footprint();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  #encode(floats: Float32Array, from: number, to: number): Vector[] {
    return Array.from({ length: to - from }, (_, row) =>
      this.#engine.encode(
        floats.subarray((from + row) * this.#dimensions, (from + row + 1) * this.#dimensions),
      ),
    );
  }
}

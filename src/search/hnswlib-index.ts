/**
 * The engine interface over hnswlib-wasm. hnswlib keeps vectors, labels and graph together, so labels here are slots,
 * which stay when rows are renumbered. Vectors are held a second time, outside: for exact answers, for distances that do
 * not suffer from the library's `1 - dot`, and for those that wait to be linked.
 */
import type { HierarchicalNSW, HnswlibLibrary } from 'hnswlib-wasm/dist/hnswlib-317962d7.js';
import { assert, IsovecError } from '../base/errors.ts';
import { distancesFrom } from './distance.ts';
import { startHnswlib } from './hnswlib-library.ts';
import { NearestRows } from './nearest-rows.ts';
import { NONE, RowSlots } from './row-slots.ts';
import { SlotStore } from './slot-store.ts';
import type { Neighbours, VectorIndex, VectorIndexConfig } from './vector-index.ts';

/** hnswlib's own default. */
const RANDOM_SEED = 100;
/** Growing copies the whole graph, so it is done in steps of a quarter. */
const GROWTH = 1.25;
const CAPACITY_MIN = 256;
/** The package is built for memories of so much. */
const MEMORY_BYTES_MAX = 2 ** 31;
/** Of a node besides its vector: links at the ground (m2 and a count), label, level and the like. */
const nodeBytes = (m: number) => 4 * (2 * m + 1) + 32;

export type HnswlibIndexConfig = Pick<VectorIndexConfig, 'dimensions' | 'metric' | 'm' | 'efConstruction'>;

/**
 * @throws IsovecError UNSUPPORTED where hnswlib-wasm is missing or cannot run; QUOTA_EXCEEDED when there is no memory for
 *         an empty index
 */
export async function createHnswlibIndex(config: HnswlibIndexConfig): Promise<VectorIndex> {
  return new HnswlibIndex(await startHnswlib(), config);
}

export class HnswlibIndex implements VectorIndex {
  readonly #library: HnswlibLibrary;
  readonly #config: HnswlibIndexConfig;
  readonly #store: SlotStore;
  #slots = new RowSlots();
  /** Slots whose vectors are not in the graph yet, the oldest first. */
  readonly #pending = new Set<number>();
  /** Which slots are nodes of the graph, which has room for as many. Those of removed rows and of pending ones are
   *  marked as deleted there. */
  #isNode = new Uint8Array(CAPACITY_MIN);
  #nodeCount = 0;
  #graph: HierarchicalNSW;

  constructor(library: HnswlibLibrary, config: HnswlibIndexConfig) {
    this.#library = library;
    this.#config = config;
    this.#store = new SlotStore(config.dimensions);
    this.#graph = this.#makeGraph();
  }

  get count(): number {
    return this.#store.heldCount;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Removed rows cost no steps: a node is given another vector when its slot is used again. */
  get backlogCount(): number {
    return this.#pending.size;
  }

  get memoryBytes(): number {
    return this.#library.HEAPU8.byteLength + this.#store.memoryBytes + this.#slots.bytes;
  }

  /** It holds the vectors themselves. */
  readonly codeBytes = 0;
  readonly calibration = undefined;

  bytesFor(count: number): number {
    const { dimensions, m } = this.#config;
    // Here and over there.
    return count * (2 * dimensions * Float32Array.BYTES_PER_ELEMENT + nodeBytes(m));
  }

  reserve(count: number): void {
    this.#growGraph(this.count + count);
    this.#store.reserve(count);
  }

  add(row: number, vector: Float32Array): void {
    assert(row < NONE && !this.has(row), `row ${row} is held`);
    this.#growGraph(this.count + 1);
    // the table's page first, so that nothing is half done when there is no memory for it
    this.#slots.set(row, NONE);
    const slot = this.#store.add(row, vector);
    this.#slots.set(row, slot);
    this.#pending.add(slot);
  }

  addCodes(): void {
    assert(false, 'there are no codes');
  }

  addCode(): never {
    throw withoutCodes();
  }

  readCode(): never {
    throw withoutCodes();
  }

  has(row: number): boolean {
    return this.#slots.get(row) !== NONE;
  }

  remove(row: number): boolean {
    const slot = this.#slots.get(row);
    if (slot === NONE) return false;
    if (!this.#pending.delete(slot)) this.#call(() => this.#graph.markDelete(slot));
    this.#store.remove(slot);
    this.#slots.delete(row);
    return true;
  }

  renumber(from: number, to: number): void {
    if (from === to) return;
    const slot = this.#slots.get(from);
    assert(slot !== NONE && to < NONE && !this.has(to), `row ${from} cannot become row ${to}`);
    this.#slots.set(to, slot);
    this.#slots.delete(from);
    this.#store.setRow(slot, to);
  }

  renumberAll(newRows: Uint32Array): void {
    const slots = new RowSlots();
    this.#eachHeld((slot, oldRow) => {
      const row = newRows[oldRow] ?? NONE;
      assert(row !== NONE && slots.get(row) === NONE, `row ${oldRow} is held and becomes row ${row}`);
      slots.set(row, slot);
    });
    this.#eachHeld((slot, oldRow) => this.#store.setRow(slot, newRows[oldRow]!));
    this.#slots = slots;
  }

  link(count: number): number {
    let steps = 0;
    for (const slot of this.#pending) {
      if (steps === count) break;
      if (this.#linkedCount === 0 && this.#nodeCount > 0) this.#restart();
      this.#linkOne(slot);
      steps++;
    }
    return steps;
  }

  search(query: Float32Array, topK: number, ef: number): Neighbours {
    const wanted = Math.min(topK, this.#linkedCount);
    const found = wanted > 0 ? this.#walk(query, wanted, Math.max(ef, topK)) : [];
    // Nodes marked as deleted can cut others off.
    if (found.length < wanted) return this.scan(query, topK);
    const nearest = new NearestRows(topK);
    const distance = distancesFrom(query, this.#config.metric);
    for (const slots of [found, this.#pending])
      for (const slot of slots) nearest.offer(this.#store.row(slot), distance(this.#store.vector(slot)));
    return nearest.neighbours();
  }

  scan(query: Float32Array, topK: number): Neighbours {
    const nearest = new NearestRows(topK);
    const distance = distancesFrom(query, this.#config.metric);
    this.#eachHeld((slot, row) => nearest.offer(row, distance(this.#store.vector(slot))));
    return nearest.neighbours();
  }

  searchAmong(query: Float32Array, rows: Iterable<number>, topK: number): Neighbours {
    const nearest = new NearestRows(topK);
    const distance = distancesFrom(query, this.#config.metric);
    for (const row of rows) {
      const slot = this.#slots.get(row);
      if (slot !== NONE) nearest.offer(row, distance(this.#store.vector(slot)));
    }
    return nearest.neighbours();
  }

  get #linkedCount(): number {
    return this.count - this.#pending.size;
  }

  #eachHeld(visit: (slot: number, row: number) => void): void {
    for (let slot = 0; slot < this.#store.usedCount; slot++) {
      const row = this.#store.row(slot);
      if (row !== NONE) visit(slot, row);
    }
  }

  #walk(query: Float32Array, count: number, ef: number): number[] {
    return this.#call(() => {
      this.#graph.setEfSearch(ef);
      return this.#graph.searchKnn(this.#pointOf(query), count, undefined).neighbors;
    });
  }

  #linkOne(slot: number): void {
    const isNode = this.#isNode[slot] === 1;
    this.#call(() => {
      if (isNode) this.#graph.unmarkDelete(slot);
      this.#graph.addPoint(this.#pointOf(this.#store.vector(slot)), slot, false);
    });
    if (!isNode) this.#nodeCount++;
    this.#isNode[slot] = 1;
    this.#pending.delete(slot);
  }

  /** A graph in which everything is deleted is worth nothing, and giving a node another vector takes five insertions. */
  #restart(): void {
    this.#graph.delete();
    this.#isNode.fill(0);
    this.#nodeCount = 0;
    this.#graph = this.#makeGraph();
  }

  #makeGraph(): HierarchicalNSW {
    const { metric, dimensions, m, efConstruction } = this.#config;
    return this.#call(() => {
      const graph = new this.#library.HierarchicalNSW(metric === 'euclidean' ? 'l2' : 'ip', dimensions, '');
      graph.initIndex(this.#isNode.length, m, efConstruction, RANDOM_SEED);
      return graph;
    });
  }

  /** @param heldCount what there is to be room for */
  #growGraph(heldCount: number): void {
    // addPoint() wants room for one more even when it adds none
    const wanted = Math.max(heldCount, this.#store.usedCount) + 1;
    if (wanted <= this.#isNode.length) return;
    const { dimensions, m } = this.#config;
    const bytes = wanted * (dimensions * Float32Array.BYTES_PER_ELEMENT + nodeBytes(m));
    if (bytes > MEMORY_BYTES_MAX) throw noMemory(`${wanted} vectors take ${bytes} bytes`);
    const isNode = new Uint8Array(Math.max(wanted, Math.ceil(this.#isNode.length * GROWTH)));
    isNode.set(this.#isNode);
    this.#call(() => this.#graph.resizeIndex(isNode.length));
    this.#isNode = isNode;
  }

  /** What the graph measures its distance from: under 'cosine', of length 1. */
  #pointOf(vector: Float32Array): Float32Array {
    if (this.#config.metric !== 'cosine') return vector;
    let squares = 0;
    for (const value of vector) squares += value * value;
    const scale = 1 / Math.sqrt(squares);
    return vector.map((value) => value * scale);
  }

  /** Makes errors of what the library throws. Only memory can fail it. */
  #call<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      if (cause instanceof RangeError) throw noMemory(cause.message, cause);
      if (!(cause instanceof WebAssembly.Exception)) throw cause;
      const [type, message] = this.#library.getExceptionMessage(cause);
      if (type === 'std::bad_alloc' || /memory/i.test(message)) throw noMemory(message, cause);
      throw new Error(`isovec: internal error: hnswlib: ${message}`, { cause });
    }
  }
}

function withoutCodes(): Error {
  return new Error('isovec: internal error: hnswlib holds vectors, not codes');
}

function noMemory(what: string, cause?: unknown): IsovecError {
  return new IsovecError(
    'QUOTA_EXCEEDED',
    `search index: hnswlib-wasm has at most ${MEMORY_BYTES_MAX} bytes of memory (${what})`,
    { details: { memoryBytesMax: MEMORY_BYTES_MAX }, ...(cause !== undefined && { cause }) },
  );
}

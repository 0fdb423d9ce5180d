import type { Metric } from '../base/api.ts';
import { assert, IsovecError } from '../base/errors.ts';
import { type Calibration, calibrationFor } from './calibration.ts';
import { Kernel, SLOT_BUFFER, STATE, thereIs } from './kernel.ts';
import { NONE, RowSlots } from './row-slots.ts';
import type { FilteredWalk, GraphImage, Neighbours, VectorIndex, VectorIndexConfig } from './vector-index.ts';

/** Steps: more than any backlog has. */
const EVERYTHING = 0x7fff_ffff;

/** In place of an `ef`. */
const EXACTLY = 0;

/** Of a state byte: the state; the rest is the level. */
const STATE_MASK = 7;
const WORD_BYTES = 4;
const WASM_PAGE_BYTES = 65_536;
/** In the table of slots. */
const ROW_BYTES = 4;
/** Of a graph image, as in wasm/isovec.h. */
const GRAPH_SECTIONS = 7;

/**
 * A vector index in a WebAssembly instance of its own.
 * @param module the compiled kernel (src/runtime), of a variant that knows the quantization
 * @throws IsovecError QUOTA_EXCEEDED when there is no memory for an empty index
 */
export function createVectorIndex(module: WebAssembly.Module, config: VectorIndexConfig): KernelVectorIndex {
  return new KernelIndex(new Kernel(module, config), config);
}

/** With images of its graph. */
export type KernelVectorIndex = VectorIndex &
  Required<Omit<VectorIndex, 'checksums' | 'room' | 'leaveRooms' | 'addVectors' | 'prepareMemory'>>;

export class KernelIndex implements VectorIndex {
  readonly #kernel: Kernel;
  readonly #isFlat: boolean;
  readonly #metric: Metric;
  /** Or need not be. */
  #isCalibrated: boolean;
  #calibration: Calibration | undefined;
  #slots = new RowSlots();

  constructor(kernel: Kernel, config: VectorIndexConfig) {
    this.#kernel = kernel;
    this.#isFlat = config.type === 'flat';
    this.#metric = config.metric;
    this.#isCalibrated = config.quantization !== 'int8';
    if (config.calibration) this.#calibrate(config.calibration);
  }

  get calibration(): Calibration | undefined {
    return this.#calibration;
  }

  get count(): number {
    return this.pendingCount + this.#kernel.count('linked') + this.#kernel.count('awaiting');
  }

  get pendingCount(): number {
    return this.#kernel.count('pending');
  }

  get backlogCount(): number {
    return this.#isFlat ? 0 : this.pendingCount + this.#kernel.count('doomed');
  }

  get memoryBytes(): number {
    return this.#kernel.memoryBytes + this.#slots.bytes;
  }

  get codeBytes(): number {
    return this.#kernel.call('isovec_code_bytes');
  }

  reserve(count: number): void {
    this.#kernel.call('isovec_reserve', count);
  }

  bytesFor(count: number): number {
    const pages = this.#kernel.call('isovec_pages_for', Math.min(count, NONE));
    return pages === NONE ? Number.POSITIVE_INFINITY : pages * WASM_PAGE_BYTES + count * ROW_BYTES;
  }

  spareMemory(): void {
    this.#kernel.call('isovec_spare_memory');
  }

  add(row: number, vector: Float32Array): void {
    if (!this.#isCalibrated) this.#calibrate(calibrationFor(vector, this.#metric));
    this.#kernel.writeVector(vector);
    this.#hold(row, 'isovec_add', 'isovec_restore');
  }

  addCode(row: number, code: Uint8Array): void {
    this.#kernel.writeCode(code);
    this.#hold(row, 'isovec_add_code', 'isovec_restore_code');
  }

  addCodes(firstRow: number, codes: Uint8Array, isWanted: (row: number) => boolean): void {
    const { codeBytes } = this;
    for (let start = 0, row = firstRow; start < codes.length; start += codeBytes, row++)
      if (this.has(row) || isWanted(row)) this.addCode(row, codes.subarray(start, start + codeBytes));
  }

  readCode(row: number): Uint8Array<ArrayBuffer> {
    const slot = this.#slots.get(row);
    assert(slot !== NONE, `row ${row} is not held`);
    return this.#kernel.u8(this.#kernel.call('isovec_code_address', slot), this.codeBytes).slice();
  }

  /** Under a row, what lies in one of the kernel's buffers. */
  #hold(
    row: number,
    add: 'isovec_add' | 'isovec_add_code',
    restore: 'isovec_restore' | 'isovec_restore_code',
  ): void {
    assert(row < NONE, `row ${row}`);
    const known = this.#slots.get(row);
    if (known !== NONE) {
      this.#kernel.call(restore, known);
      return;
    }
    // the table's page first, so that nothing is half done when there is no memory for it
    this.#slots.set(row, NONE);
    this.#slots.set(row, this.#kernel.call(add, row));
  }

  has(row: number): boolean {
    return this.slotOf(row) !== NONE;
  }

  /** @returns NONE where there is none */
  slotOf(row: number): number {
    return this.#slots.get(row);
  }

  remove(row: number): boolean {
    const slot = this.#slots.get(row);
    if (slot === NONE) return false;
    this.#kernel.call('isovec_remove', slot);
    this.#slots.delete(row);
    return true;
  }

  renumber(from: number, to: number): void {
    if (from === to) return;
    const slot = this.#slots.get(from);
    assert(slot !== NONE && to < NONE && !this.has(to), `row ${from} cannot become row ${to}`);
    this.#slots.set(to, slot);
    this.#slots.delete(from);
    this.#kernel.u32(this.#kernel.call('isovec_row_address', slot), 1)[0] = to;
  }

  renumberAll(newRows: Uint32Array): void {
    const slots = new RowSlots();
    for (const run of this.#kernel.slotRuns())
      for (let i = 0; i < run.rows.length; i++) {
        if (!isHeld(run.states[i]!)) continue;
        const row = newRows[run.rows[i]!] ?? NONE;
        assert(row !== NONE && slots.get(row) === NONE, `row ${run.rows[i]} is held and becomes row ${row}`);
        slots.set(row, run.first + i);
      }
    for (const run of this.#kernel.slotRuns())
      for (let i = 0; i < run.rows.length; i++)
        if (isHeld(run.states[i]!)) run.rows[i] = newRows[run.rows[i]!]!;
    this.#slots = slots;
  }

  link(count: number): number {
    const steps = this.#kernel.link(Math.min(count, EVERYTHING));
    this.#followMoved();
    return steps;
  }

  /** Rows whose vectors the kernel has put into other slots. */
  #followMoved(): void {
    const count = this.#kernel.call('isovec_moved_count');
    if (count === 0) return;
    const pairs = this.#kernel.u32(this.#kernel.call('isovec_moved'), 2 * count);
    for (let i = 0; i < pairs.length; i += 2) this.#slots.set(pairs[i]!, pairs[i + 1]!);
  }

  search(query: Float32Array, topK: number, ef: number): Neighbours {
    this.#kernel.writeVector(query);
    return this.#answer(this.#kernel.call('isovec_search', 1, topK, ef));
  }

  scan(query: Float32Array, topK: number): Neighbours {
    return this.search(query, topK, EXACTLY);
  }

  searchSeveral(queries: readonly Float32Array[], topK: number, ef: number): Neighbours[] {
    const kernel = this.#kernel;
    for (const [number, query] of queries.entries()) {
      kernel.writeVector(query);
      kernel.call('isovec_keep_query', number);
    }
    const count = kernel.call('isovec_search', queries.length, topK, ef);
    return queries.map((_, number) => this.#answer(count, number));
  }

  searchAmong(query: Float32Array, rows: Iterable<number>, topK: number): Neighbours {
    const kernel = this.#kernel;
    kernel.writeVector(query);
    kernel.call('isovec_among_begin', topK);
    const slots = kernel.u32(kernel.call('isovec_slot_buffer'), SLOT_BUFFER);
    let count = 0;
    for (const row of rows) {
      slots[count++] = this.#slots.get(row);
      if (count < SLOT_BUFFER) continue;
      kernel.call('isovec_among', count);
      count = 0;
    }
    kernel.call('isovec_among', count);
    return this.#answer(kernel.call('isovec_among_end'));
  }

  searchAllowed(query: Float32Array, allowed: Uint32Array, topK: number, walk: FilteredWalk): Neighbours {
    return this.#allowing(allowed, walk, () => this.search(query, topK, walk.ef));
  }

  scanAllowed(query: Float32Array, allowed: Uint32Array, topK: number): Neighbours {
    return this.#allowing(allowed, { nearMin: 0, efAllowed: 0 }, () => this.scan(query, topK));
  }

  #allowing<T>(
    allowed: Uint32Array,
    { nearMin, efAllowed }: Pick<FilteredWalk, 'nearMin' | 'efAllowed'>,
    find: () => T,
  ): T {
    const kernel = this.#kernel;
    const { length } = allowed;
    const buffer = thereIs(kernel.call('isovec_allow', length, nearMin, efAllowed));
    kernel.u32(buffer, length).set(allowed);
    try {
      return find();
    } finally {
      kernel.call('isovec_allow', 0, 0, 0);
    }
  }

  readGraph(): GraphImage {
    this.#kernel.call('isovec_image_save');
    return this.#graphImage();
  }

  openGraph(header: Uint8Array, storedBytes: number): GraphImage {
    assert(this.count === 0, 'a graph image for an index that is not empty');
    this.link(EVERYTHING);
    const own = this.#graphHeader();
    if (header.length !== own.length)
      throw new IsovecError('CORRUPTION', `graph image: a header of ${header.length} bytes`);
    own.set(header);
    this.#kernel.call('isovec_image_open', Math.min(storedBytes, 0xffff_ffff));
    return this.#graphImage();
  }

  acceptGraph(): void {
    if (this.#kernel.call('isovec_image_accept') === 0) return;
    this.#slots = new RowSlots();
    try {
      this.#findRows();
    } catch (error) {
      this.#clear();
      throw error;
    }
  }

  #graphHeader(): Uint8Array<ArrayBuffer> {
    return this.#kernel.u8(
      this.#kernel.call('isovec_image_header'),
      this.#kernel.call('isovec_image_header_bytes'),
    );
  }

  #graphImage(): GraphImage {
    const kernel = this.#kernel;
    const { buffer } = kernel;
    return {
      header: this.#graphHeader().slice(),
      sections: Array.from({ length: GRAPH_SECTIONS }, (_, section) =>
        kernel.call('isovec_image_section_bytes', section),
      ),
      read(section, offset, count) {
        kernel.call('isovec_image_read', section, offset, count);
        return kernel.u8(buffer, count);
      },
      write(section, offset, bytes) {
        kernel.call('isovec_image_write', section, offset, kernel.place(bytes, buffer), bytes.length);
      },
    };
  }

  #calibrate(calibration: Calibration): void {
    this.#kernel.call('isovec_calibrate', calibration.clip);
    this.#calibration = calibration;
    this.#isCalibrated = true;
  }

  /** Fills the table from the rows that stand in the kernel. */
  #findRows(): void {
    for (const run of this.#kernel.slotRuns())
      for (let i = 0; i < run.rows.length; i++) {
        if (!isHeld(run.states[i]!)) continue;
        const row = run.rows[i]!;
        if (row === NONE || this.has(row))
          throw new IsovecError('CORRUPTION', `graph image: row ${row} stands in it twice or cannot be`, {
            details: { row },
          });
        this.#slots.set(row, run.first + i);
      }
  }

  #clear(): void {
    this.#slots = new RowSlots();
    for (const run of this.#kernel.slotRuns())
      for (let i = 0; i < run.states.length; i++)
        if (isHeld(run.states[i]!)) this.#kernel.call('isovec_remove', run.first + i);
    this.link(EVERYTHING);
  }

  /** @param number which of several answers of so many rows */
  #answer(count: number, number = 0): Neighbours {
    const kernel = this.#kernel;
    const offset = number * count * WORD_BYTES;
    return {
      rows: kernel.u32(kernel.call('isovec_answer_rows') + offset, count).slice(),
      distances: kernel.f32(kernel.call('isovec_answer_distances') + offset, count).slice(),
    };
  }
}

function isHeld(stateByte: number): boolean {
  const state = stateByte & STATE_MASK;
  return state === STATE.pending || state === STATE.linked || state === STATE.awaiting;
}

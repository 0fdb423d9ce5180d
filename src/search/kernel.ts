import type { Metric, Quantization } from '../base/api.ts';
import { assert, IsovecError } from '../base/errors.ts';
import type { VectorIndexConfig } from './vector-index.ts';

/** The kernel's exports, as wasm/isovec.h documents them. Addresses come signed: read them `>>> 0`. */
interface KernelExports {
  memory: WebAssembly.Memory;
  isovec_create(
    dimensions: number,
    metric: number,
    type: number,
    m: number,
    efConstruction: number,
    codes: number,
  ): number;
  isovec_keep_link_codes(): number;
  isovec_calibrate(clip: number): number;
  isovec_vector_buffer(): number;
  isovec_code_bytes(): number;
  isovec_code_buffer(): number;
  isovec_code_address(slot: number): number;
  isovec_reserve(count: number): number;
  isovec_moved(): number;
  isovec_moved_count(): number;
  isovec_pages_for(count: number): number;
  isovec_spare_memory(): number;
  isovec_add(row: number): number;
  isovec_restore(slot: number): number;
  isovec_add_code(row: number): number;
  isovec_restore_code(slot: number): number;
  isovec_restore_codes(codes: number, count: number): number;
  isovec_restore_vectors(vectors: number, strideBytes: number, count: number): number;
  isovec_remove(slot: number): number;
  isovec_row_address(slot: number): number;
  isovec_state_address(slot: number): number;
  isovec_block_slots(): number;
  isovec_count(which: number): number;
  isovec_link(count: number): number;
  isovec_search(count: number, top: number, ef: number): number;
  isovec_keep_query(number: number): number;
  isovec_slot_buffer(): number;
  isovec_among_begin(top: number): number;
  isovec_among(count: number): number;
  isovec_among_end(): number;
  isovec_allow(words: number, nearMin: number, ef: number): number;
  isovec_answer_rows(): number;
  isovec_answer_distances(): number;
  isovec_image_header(): number;
  isovec_image_header_bytes(): number;
  isovec_image_buffer(): number;
  isovec_room(bytes: number): number;
  isovec_checksums(bytes: number, count: number, pieceBytes: number): number;
  isovec_image_save(): number;
  isovec_image_open(length: number): number;
  isovec_image_section_bytes(section: number): number;
  isovec_image_read(section: number, offset: number, count: number): number;
  isovec_image_write(section: number, offset: number, bytes: number, count: number): number;
  isovec_image_accept(): number;
  // of the kernel for several threads: wasm/isovec-threads.h
  isovec_helper_prepare(helper: number): number;
  isovec_helper_stack_bytes(): number;
  isovec_helpers_expect(helpers: number, pending: number): number;
  isovec_helpers_dismiss(isDismissed: number): number;
  isovec_helpers_lost(): number;
  isovec_link_along(count: number): number;
}

type KernelFunction = Exclude<keyof KernelExports, 'memory'>;

const METRICS: Record<Metric, number> = { cosine: 0, dot: 1, euclidean: 2 };
const TYPES: Record<VectorIndexConfig['type'], number> = { hnsw: 0, flat: 1 };
const CODES: Record<Quantization, number> = { none: 0, int8: 1, binary: 2 };
/** A flat index ignores them, but the kernel checks them. */
const FLAT_M = 2;
const FLAT_EF_CONSTRUCTION = 1;

const NO_MEMORY = -1;
const BAD_IMAGE = -2;

/** Slots that the kernel takes at a time. */
export const SLOT_BUFFER = 1024;

export const COUNTED = { pending: 0, linked: 1, doomed: 2, awaiting: 3, slots: 4 } as const;
export const STATE = { free: 0, pending: 1, linked: 2, awaiting: 3, doomed: 4 } as const;

/** One instance of the kernel: calls with their return codes made errors, and views of its memory. */
export class Kernel {
  readonly #exports: KernelExports;
  readonly #dimensions: number;
  /** Where the kernel reads one. */
  #vector = new Float32Array();
  #trap: unknown;

  /**
   * Instantiates synchronously.
   * @param memory where the module imports its own
   * @throws IsovecError QUOTA_EXCEEDED when there is no memory for an empty index
   */
  constructor(module: WebAssembly.Module, config: VectorIndexConfig, memory?: WebAssembly.Memory) {
    this.#dimensions = config.dimensions;
    try {
      this.#exports = new WebAssembly.Instance(module, { env: { memory: memory! } })
        .exports as unknown as KernelExports;
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw noMemory('an empty index', 0, cause);
    }
    const flat = config.type === 'flat';
    this.call(
      'isovec_create',
      config.dimensions,
      METRICS[config.metric],
      TYPES[config.type],
      flat ? FLAT_M : config.m,
      flat ? FLAT_EF_CONSTRUCTION : config.efConstruction,
      CODES[config.quantization],
    );
    if (config.linkCodes) this.call('isovec_keep_link_codes');
  }

  /** The address of 64 KiB for what goes in and out by the piece. The first time memory may grow. */
  get buffer(): number {
    return thereIs(this.call('isovec_image_buffer'));
  }

  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /**
   * Calls an export.
   * @throws IsovecError QUOTA_EXCEEDED when memory cannot grow, CORRUPTION for a graph image that is refused.
   *         A trap can only come of a mistake in the kernel; after it nothing in its memory is to be trusted, so every
   *         later call fails too.
   */
  call(name: KernelFunction, ...values: number[]): number {
    if (this.#trap !== undefined)
      throw new Error('isovec: internal error: the search kernel has trapped before', { cause: this.#trap });
    let result: number;
    try {
      result = (this.#exports[name] as (...values: number[]) => number)(...values);
    } catch (cause) {
      this.#trap = cause;
      throw new Error(`isovec: internal error: the search kernel trapped in ${name}`, { cause });
    }
    if (ADDRESSES.has(name)) return result >>> 0;
    if (result === NO_MEMORY) throw noMemory(name, this.memoryBytes);
    if (result === BAD_IMAGE)
      throw new IsovecError('CORRUPTION', 'graph image: damaged, or of an index with another configuration');
    assert(result >= 0, `${name} returned ${result}`);
    return result;
  }

  /** All memory that there is will be filled in the next seconds. */
  prepareMemory(): void {}

  /** As `VectorIndex.link`. */
  link(count: number): number {
    return this.call('isovec_link', count);
  }

  count(which: keyof typeof COUNTED): number {
    return this.call('isovec_count', COUNTED[which]);
  }

  /** Puts a vector where the kernel reads it. */
  writeVector(vector: Float32Array): void {
    assert(
      vector.length === this.#dimensions,
      `a vector of ${vector.length} in ${this.#dimensions} dimensions`,
    );
    // A view is void when the memory has grown.
    if (this.#vector.length === 0)
      this.#vector = this.f32(this.call('isovec_vector_buffer'), this.#dimensions);
    this.#vector.set(vector);
  }

  /** Puts a code where the kernel reads it. */
  writeCode(code: Uint8Array): void {
    const expected = this.call('isovec_code_bytes');
    assert(code.length === expected, `a code of ${code.length} bytes, not ${expected}`);
    this.u8(this.call('isovec_code_buffer'), expected).set(code);
  }

  /** Views hold until the next call that may grow. */
  u8(address: number, count: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#exports.memory.buffer as ArrayBuffer, address, count);
  }

  /** Where bytes stand in memory: if they are not there, it is where they are copied to. */
  place(bytes: Uint8Array, address: number): number {
    if (bytes.buffer === this.#exports.memory.buffer) return bytes.byteOffset;
    this.u8(address, bytes.length).set(bytes);
    return address;
  }

  u32(address: number, count: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#exports.memory.buffer as ArrayBuffer, address, count);
  }

  f32(address: number, count: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#exports.memory.buffer as ArrayBuffer, address, count);
  }

  /** Every slot ever used, in runs that lie together: their numbers, rows and state bytes. */
  *slotRuns(): Generator<{ first: number; rows: Uint32Array; states: Uint8Array }> {
    const slots = this.count('slots');
    const blockSlots = this.call('isovec_block_slots');
    for (let first = 0; first < slots; first += blockSlots) {
      const count = Math.min(blockSlots, slots - first);
      yield {
        first,
        rows: this.u32(this.call('isovec_row_address', first), count),
        states: this.u8(this.call('isovec_state_address', first), count),
      };
    }
  }
}

/** Exports that return an address or a length, any of 2^32, rather than a number or a code. */
const ADDRESSES: ReadonlySet<KernelFunction> = new Set([
  'isovec_vector_buffer',
  'isovec_moved',
  'isovec_code_buffer',
  'isovec_code_address',
  'isovec_row_address',
  'isovec_state_address',
  'isovec_slot_buffer',
  'isovec_allow',
  'isovec_answer_rows',
  'isovec_answer_distances',
  'isovec_image_header',
  'isovec_pages_for',
  'isovec_image_buffer',
  'isovec_room',
  'isovec_image_section_bytes',
  'isovec_helper_prepare',
] as const);

/** @param address 0 where there is none */
export function thereIs(address: number): number {
  if (address === 0) throw new IsovecError('QUOTA_EXCEEDED', 'search index: no memory');
  return address;
}

function noMemory(what: string, memoryBytes: number, cause?: unknown): IsovecError {
  return new IsovecError(
    'QUOTA_EXCEEDED',
    `search index: no memory beyond the ${memoryBytes} bytes it has (${what})`,
    { details: { memoryBytes }, ...(cause !== undefined && { cause }) },
  );
}

/** An index of a kernel that takes in by the block what is read from files: those for codes and for several threads. */
import { Kernel } from './kernel.ts';
import { KernelIndex, type KernelVectorIndex } from './kernel-index.ts';
import { NONE } from './row-slots.ts';
import { GRAPH_PIECE_BYTES_MAX, type VectorIndex, type VectorIndexConfig } from './vector-index.ts';

const WORD_BYTES = 4;

export type BulkVectorIndex = KernelVectorIndex & Required<VectorIndex>;

/** As `createVectorIndex`. */
export function createBulkIndex(module: WebAssembly.Module, config: VectorIndexConfig): BulkVectorIndex {
  return new BulkIndex(new Kernel(module, config), config);
}

export class BulkIndex extends KernelIndex implements BulkVectorIndex {
  readonly checksums: BulkVectorIndex['checksums'];
  readonly #kernel: Kernel;
  readonly #dimensions: number;

  constructor(kernel: Kernel, config: VectorIndexConfig) {
    super(kernel, config);
    this.#kernel = kernel;
    this.#dimensions = config.dimensions;
    this.checksums = (bytes, pieceBytes) => {
      const { buffer } = kernel;
      const count = kernel.call('isovec_checksums', kernel.place(bytes, buffer), bytes.length, pieceBytes);
      return kernel.u32(buffer + GRAPH_PIECE_BYTES_MAX, count);
    };
  }

  prepareMemory(): void {
    this.#kernel.prepareMemory();
  }

  override addCodes(firstRow: number, codes: Uint8Array, isWanted: (row: number) => boolean): void {
    const add = (row: number, code: Uint8Array) => this.addCode(row, code);
    const restore = (place: number, count: number) => this.#kernel.call('isovec_restore_codes', place, count);
    this.#takeIn(firstRow, codes, this.codeBytes, isWanted, add, restore);
  }

  addVectors(
    firstRow: number,
    vectors: Uint8Array,
    strideBytes: number,
    isWanted: (row: number) => boolean,
  ): void {
    const add = (row: number, { buffer }: Uint8Array) =>
      this.add(row, new Float32Array(buffer, 0, this.#dimensions));
    const restore = (place: number, count: number) =>
      this.#kernel.call('isovec_restore_vectors', place, strideBytes, count);
    this.#takeIn(firstRow, vectors, strideBytes, isWanted, add, restore);
  }

  /** @param add gives the index what is not in its graph, in a buffer of its own
   *  @param restore gives it all else, whose slots stand in the buffer */
  #takeIn(
    firstRow: number,
    all: Uint8Array,
    eachBytes: number,
    isWanted: (row: number) => boolean,
    add: (row: number, bytes: Uint8Array) => void,
    restore: (place: number, count: number) => void,
  ): void {
    const rowCount = all.length / eachBytes;
    const bytesOf = (at: number, count: number) => all.subarray(at * eachBytes, (at + count) * eachBytes);
    const atOnce = Math.floor(GRAPH_PIECE_BYTES_MAX / (eachBytes + WORD_BYTES));
    const slots = new Uint32Array(rowCount);
    const oneByOne: number[] = [];
    for (let at = 0; at < rowCount; at++) {
      const slot = this.slotOf(firstRow + at);
      slots[at] = slot;
      if (slot === NONE ? isWanted(firstRow + at) : atOnce === 0) oneByOne.push(at);
    }
    const { buffer } = this.#kernel;
    for (let start = 0; atOnce > 0 && start < rowCount; start += atOnce) {
      const count = Math.min(atOnce, rowCount - start);
      this.#kernel.u32(buffer, count).set(slots.subarray(start, start + count));
      restore(this.#kernel.place(bytesOf(start, count), buffer + count * WORD_BYTES), count);
    }
    // Copied: memory may grow, which makes what is in it void.
    const copies = oneByOne.map((at) => bytesOf(at, 1).slice());
    for (const [number, at] of oneByOne.entries()) add(firstRow + at, copies[number]!);
  }

  room(number: number, bytes: number): Uint8Array<ArrayBuffer> | undefined {
    const kernel = this.#kernel;
    // The first time it makes memory grow, and what is read void.
    void kernel.buffer;
    const address = kernel.call('isovec_room', 2 * bytes);
    return address === 0 ? undefined : kernel.u8(address + number * bytes, bytes);
  }

  leaveRooms(): void {
    this.#kernel.call('isovec_room', 0);
  }
}

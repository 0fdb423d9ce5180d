import { IsovecError } from '../base/errors.ts';
import { NONE } from './row-slots.ts';

/** Vectors are held in blocks of so much, so that growth copies none. */
const BLOCK_BYTES = 1024 * 1024;

interface Block {
  vectors: Float32Array[];
  rows: Uint32Array;
}

/** Numbered places for vectors, each with the row that it belongs to. */
export class SlotStore {
  readonly #dimensions: number;
  readonly #blockSlots: number;
  readonly #blocks: Block[] = [];
  /** Slots that have been used and are free again. */
  readonly #free: number[] = [];
  #usedCount = 0;

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#blockSlots = Math.max(1, Math.floor(BLOCK_BYTES / (dimensions * Float32Array.BYTES_PER_ELEMENT)));
  }

  /** Slots that have ever been used: their numbers are below this. */
  get usedCount(): number {
    return this.#usedCount;
  }

  get heldCount(): number {
    return this.#usedCount - this.#free.length;
  }

  get memoryBytes(): number {
    const slotBytes = (this.#dimensions + 1) * Float32Array.BYTES_PER_ELEMENT;
    return this.#blocks.length * this.#blockSlots * slotBytes;
  }

  /** @throws IsovecError QUOTA_EXCEEDED; what it has got by then stays */
  reserve(count: number): void {
    const wanted = Math.ceil((this.heldCount + count) / this.#blockSlots);
    while (this.#blocks.length < wanted) this.#blocks.push(this.#makeBlock());
  }

  /** @returns the slot: one that was free, or the next */
  add(row: number, vector: Float32Array): number {
    this.reserve(1);
    const slot = this.#free.pop() ?? this.#usedCount++;
    this.vector(slot).set(vector);
    this.setRow(slot, row);
    return slot;
  }

  remove(slot: number): void {
    this.setRow(slot, NONE);
    this.#free.push(slot);
  }

  /** NONE for a free slot. */
  row(slot: number): number {
    return this.#blockOf(slot).rows[slot % this.#blockSlots]!;
  }

  setRow(slot: number, row: number): void {
    this.#blockOf(slot).rows[slot % this.#blockSlots] = row;
  }

  /** As it is held: not a copy. */
  vector(slot: number): Float32Array {
    return this.#blockOf(slot).vectors[slot % this.#blockSlots]!;
  }

  #blockOf(slot: number): Block {
    return this.#blocks[Math.floor(slot / this.#blockSlots)]!;
  }

  #makeBlock(): Block {
    const slots = this.#blockSlots;
    try {
      const floats = new Float32Array(slots * this.#dimensions);
      const vectors = Array.from({ length: slots }, (_, slot) =>
        floats.subarray(slot * this.#dimensions, (slot + 1) * this.#dimensions),
      );
      return { vectors, rows: new Uint32Array(slots).fill(NONE) };
    } catch (cause) {
      throw new IsovecError('QUOTA_EXCEEDED', 'search index: no memory for more vectors', { cause });
    }
  }
}

/**
 * The ids and positions of rows, as the rows file has them: u16 length of the id, u32 position, the id in UTF-8. What is
 * read from the file is kept as it was read; what is new goes to blocks of the same kind, none of which ever grows, so
 * nothing is copied and at most one block is spare.
 */
import { ByteReader } from '../base/bytes.ts';

const ENTRY_HEADER_BYTES = 6;
/** Of one entry in so many it is noted where it lies; from there on entries are counted. */
const ENTRIES_PER_NOTE = 8;
/** A block for new rows: at first, and at most. Each is twice as large as the one before. */
const BLOCK_BYTES_MIN = 512;
const BLOCK_BYTES_MAX = 64 * 1024;

interface IdBlock {
  firstRow: number;
  bytes: Uint8Array;
  usedBytes: number;
  /** Offsets of every ENTRIES_PER_NOTE-th entry. */
  notes: Uint32Array;
}

export class IdStore {
  /** What `find` has found: where the id lies, and the position. Valid until the next call. */
  bytes: Uint8Array = new Uint8Array();
  start = 0;
  end = 0;
  position = 0;
  readonly #blocks: IdBlock[] = [];
  #rowCount = 0;
  #memoryBytes = 0;
  /** What has been looked at last, for rows that are asked for in order. */
  #block: IdBlock | undefined;
  #row = -1;

  get rowCount(): number {
    return this.#rowCount;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Puts what it finds of a row into `bytes`, `start`, `end` and `position`. @param row below `rowCount` */
  find(row: number): void {
    if (row === this.#row) return;
    const last = this.#block;
    const isNext = row === this.#row + 1 && last !== undefined && this.end < last.usedBytes;
    let offset = this.end;
    if (!isNext) {
      const block = this.#blockOf(row);
      this.#block = block;
      this.bytes = block.bytes;
      offset = offsetIn(block, row);
    }
    const { bytes } = this;
    this.#row = row;
    this.start = offset + ENTRY_HEADER_BYTES;
    this.end = this.start + idLength(bytes, offset);
    this.position =
      (bytes[offset + 2]! |
        (bytes[offset + 3]! << 8) |
        (bytes[offset + 4]! << 16) |
        (bytes[offset + 5]! << 24)) >>>
      0;
  }

  /** Is this the id of a row? What `find` has found stays. */
  isIdOf(row: number, id: Uint8Array, start: number, end: number): boolean {
    const block = this.#blockOf(row);
    const { bytes } = block;
    const offset = offsetIn(block, row);
    if (idLength(bytes, offset) !== end - start) return false;
    const shift = offset + ENTRY_HEADER_BYTES - start;
    // From the end: ids that are counted up differ there.
    for (let at = end - 1; at >= start; at--) if (bytes[at + shift] !== id[at]) return false;
    return true;
  }

  /** The next row's. */
  append(id: Uint8Array, position: number): void {
    const entryBytes = ENTRY_HEADER_BYTES + id.length;
    let block = this.#blocks.at(-1);
    if (!block || block.usedBytes + entryBytes > block.bytes.length) block = this.#begin(entryBytes);
    const { bytes, usedBytes: at } = block;
    const within = this.#rowCount - block.firstRow;
    const { notes } = block;
    if (within === notes.length * ENTRIES_PER_NOTE) {
      block.notes = new Uint32Array(notes.length * 2);
      block.notes.set(notes);
      this.#memoryBytes += notes.byteLength;
    }
    if (within % ENTRIES_PER_NOTE === 0) block.notes[within / ENTRIES_PER_NOTE] = at;
    bytes[at] = id.length;
    bytes[at + 1] = id.length >>> 8;
    for (let byte = 0; byte < 4; byte++) bytes[at + 2 + byte] = position >>> (8 * byte);
    bytes.set(id, at + ENTRY_HEADER_BYTES);
    block.usedBytes += entryBytes;
    this.#rowCount++;
  }

  /**
   * Those of the next rows, from now on this table's.
   * @param payload of an id block @throws IsovecError CORRUPTION when it does not hold so many; nothing is changed then
   */
  take(payload: Uint8Array, rowCount: number, file: string): void {
    const notes = new Uint32Array(Math.ceil(rowCount / ENTRIES_PER_NOTE));
    let offset = 0;
    for (let row = 0; row < rowCount && offset + ENTRY_HEADER_BYTES <= payload.length; row++) {
      if (row % ENTRIES_PER_NOTE === 0) notes[row / ENTRIES_PER_NOTE] = offset;
      offset += ENTRY_HEADER_BYTES + idLength(payload, offset);
      if (row === rowCount - 1 && offset === payload.length) {
        this.#add({ firstRow: this.#rowCount, bytes: payload, usedBytes: offset, notes });
        this.#rowCount += rowCount;
        return;
      }
    }
    throw new ByteReader(payload, file).fail(`${payload.length} bytes for the ids of ${rowCount} rows`);
  }

  #begin(entryBytes: number): IdBlock {
    const before = this.#blocks.at(-1)?.bytes.length ?? 0;
    const capacity = Math.min(Math.max(before * 2, BLOCK_BYTES_MIN), BLOCK_BYTES_MAX);
    const bytes = new Uint8Array(Math.max(capacity, entryBytes));
    // Ids are often of one length; where they get shorter, more notes are taken.
    const notes = new Uint32Array(Math.ceil(bytes.length / entryBytes / ENTRIES_PER_NOTE));
    const block = { firstRow: this.#rowCount, bytes, usedBytes: 0, notes };
    this.#add(block);
    return block;
  }

  #add(block: IdBlock): void {
    this.#blocks.push(block);
    this.#memoryBytes += block.bytes.length + block.notes.byteLength;
  }

  #blockOf(row: number): IdBlock {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]!.firstRow <= row) low = middle + 1;
      else high = middle;
    }
    return this.#blocks[low - 1]!;
  }
}

function offsetIn({ firstRow, bytes, notes }: IdBlock, row: number): number {
  const within = row - firstRow;
  let offset = notes[Math.floor(within / ENTRIES_PER_NOTE)]!;
  for (let left = within % ENTRIES_PER_NOTE; left > 0; left--)
    offset += ENTRY_HEADER_BYTES + idLength(bytes, offset);
  return offset;
}

function idLength(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8);
}

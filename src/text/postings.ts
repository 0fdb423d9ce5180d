/**
 * The rows that a term is in, and how often, as bytes: of each row, ascending, a varint of twice the distance to the row
 * before (of the first, to the segment's first row), and one more if the term is there once only; else a varint of how
 * often follows.
 */
import { IsovecError } from '../base/errors.ts';
import type { ByteBuffer } from './byte-buffer.ts';

/** A term is counted up to here: more changes no score that can be seen, and a row and its count fit into one number. */
export const FREQUENCY_MAX = 2 ** 20 - 1;

const CAPACITY_MIN = 256;

/** Rows and frequencies side by side; grows. */
export class Postings {
  rows = new Uint32Array(CAPACITY_MIN);
  frequencies = new Uint32Array(CAPACITY_MIN);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  reserve(count: number): void {
    if (this.rows.length >= count) return;
    const capacity = Math.max(count, this.rows.length * 2);
    const { rows, frequencies } = this;
    this.rows = new Uint32Array(capacity);
    this.frequencies = new Uint32Array(capacity);
    this.rows.set(rows.subarray(0, this.count));
    this.frequencies.set(frequencies.subarray(0, this.count));
  }

  push(row: number, frequency: number): void {
    this.reserve(this.count + 1);
    this.rows[this.count] = row;
    this.frequencies[this.count++] = frequency;
  }

  /** Leaves out rows from this one on. */
  truncate(endRow: number): void {
    while (this.count > 0 && this.rows[this.count - 1]! >= endRow) this.count--;
  }

  /** Gives rows other numbers, and leaves out those that get none; ascending again. @param rowOf -1 for none */
  renumber(rowOf: (row: number) => number): void {
    const packed = new Float64Array(this.count);
    let count = 0;
    for (let at = 0; at < this.count; at++) {
      const row = rowOf(this.rows[at]!);
      if (row >= 0) packed[count++] = row * (FREQUENCY_MAX + 1) + this.frequencies[at]!;
    }
    this.count = count;
    for (const [at, each] of packed.subarray(0, count).sort().entries()) {
      this.rows[at] = Math.floor(each / (FREQUENCY_MAX + 1));
      this.frequencies[at] = each % (FREQUENCY_MAX + 1);
    }
  }
}

export function encodePostings(
  { rows, frequencies, count }: Postings,
  firstRow: number,
  into: ByteBuffer,
): void {
  let before = firstRow;
  for (let at = 0; at < count; at++) {
    const row = rows[at]!;
    const frequency = frequencies[at]!;
    into.varint((row - before) * 2 + (frequency === 1 ? 1 : 0));
    if (frequency !== 1) into.varint(frequency);
    before = row;
  }
}

/**
 * Adds what the bytes say.
 * @param count of rows
 * @param endRow rows lie below
 * @throws IsovecError CORRUPTION
 */
export function decodePostings(
  bytes: Uint8Array,
  firstRow: number,
  endRow: number,
  count: number,
  into: Postings,
): void {
  into.reserve(into.count + count);
  const { rows, frequencies } = into;
  let at = 0;
  let row = firstRow;
  let to = into.count;
  const end = to + count;
  for (; to < end; to++) {
    let byte = bytes[at++]!;
    let value = byte & 0x7f;
    for (let unit = 128; byte >= 128; unit *= 128) {
      byte = bytes[at++]!;
      value += (byte & 0x7f) * unit;
    }
    const isOnce = (value & 1) === 1;
    row += isOnce ? (value - 1) / 2 : value / 2;
    let frequency = 1;
    if (!isOnce) {
      byte = bytes[at++]!;
      frequency = byte & 0x7f;
      for (let shift = 7; byte >= 128; shift += 7) {
        byte = bytes[at++]!;
        frequency |= (byte & 0x7f) << shift;
      }
    }
    rows[to] = row;
    frequencies[to] = frequency;
  }
  into.count = to;
  if (at !== bytes.length || !(row < endRow))
    throw new IsovecError('CORRUPTION', `postings of ${count} rows in ${bytes.length} bytes do not fit`);
}

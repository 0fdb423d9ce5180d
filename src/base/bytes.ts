import { crc32cWithin } from './crc32c.ts';
import { IsovecError } from './errors.ts';

/** Appends little-endian fields to a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #words: Int32Array;
  #length = 0;

  /** @param capacity bytes to reserve at first; the right guess avoids copies */
  constructor(capacity = 256) {
    const buffer = new ArrayBuffer(Math.ceil(capacity / 4) * 4);
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#words = new Int32Array(buffer);
  }

  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  u8(value: number): this {
    const at = this.#advance(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#advance(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#advance(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** An integer up to Number.MAX_SAFE_INTEGER, in eight bytes. */
  u64(value: number): this {
    const at = this.#advance(8);
    this.#view.setUint32(at, value % 2 ** 32, true);
    this.#view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#advance(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Float32 values, four bytes each, without a length. */
  f32s(values: Float32Array): this {
    return this.raw(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  /** Overwrites four bytes written before, for a count or checksum known only later. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** The CRC32C of what stands from `start` up to `end`. @param previous the checksum of what comes before it */
  checksum(start: number, end = this.#length, previous = 0): number {
    return crc32cWithin(this.#bytes, this.#words, start, end, previous);
  }

  /** Forgets what has been written, and keeps the room for it. */
  clear(): void {
    this.#length = 0;
  }

  /** What has been written: a view, valid until the next write. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room; what was got from `#bytes` or `#view` before may be stale after. */
  #advance(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const grown = new ByteWriter(Math.max(needed, this.#bytes.length * 2));
      grown.#bytes.set(this.#bytes.subarray(0, at));
      this.#bytes = grown.#bytes;
      this.#view = grown.#view;
      this.#words = grown.#words;
    }
    this.#length = needed;
    return at;
  }
}

/** Reads little-endian fields, and refuses to read past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #source: string;
  #at = 0;

  /** @param source the file, or what else these bytes are, for the error */
  constructor(bytes: Uint8Array, source: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#source = source;
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u64(): number {
    const at = this.#advance(8);
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
    if (!Number.isSafeInteger(value)) throw this.fail('a number over 2^53');
    return value;
  }

  /** A view of the next bytes, not a copy. */
  raw(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** A copy of the next `count` float32 values. */
  f32s(count: number, room: CopyRoom): Float32Array<ArrayBuffer> {
    return room.f32s(this.raw(count * 4));
  }

  fail(found: string): IsovecError {
    return new IsovecError('CORRUPTION', `${this.#source}: ${found} at byte ${this.#at}`, {
      details: { file: this.#source, offset: this.#at },
    });
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw this.fail(`${count} bytes wanted, ${this.remaining} left,`);
    this.#at = at + count;
    return at;
  }
}

/**
 * One buffer for copies of many small things that live about as long: a buffer for each takes several times as long, and
 * most of that to collect them again.
 */
export class CopyRoom {
  readonly #buffer: ArrayBuffer;
  /** Floats are put from the front, where they are aligned, bytes from the end. */
  #front = 0;
  #end: number;

  /** @param bytes as many as will be copied */
  constructor(bytes: number) {
    this.#end = Math.ceil(bytes / 4) * 4;
    this.#buffer = new ArrayBuffer(this.#end);
  }

  f32s(bytes: Uint8Array): Float32Array<ArrayBuffer> {
    new Uint8Array(this.#buffer, this.#front, bytes.length).set(bytes);
    const values = new Float32Array(this.#buffer, this.#front, bytes.length / 4);
    this.#front += bytes.length;
    return values;
  }

  bytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#end -= bytes.length;
    const copy = new Uint8Array(this.#buffer, this.#end, bytes.length);
    copy.set(bytes);
    return copy;
  }
}

export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

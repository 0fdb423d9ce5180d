/** How much a full column grows: half as much again, so that at most a third of it is ever spare. */
const GROWTH = 1.5;
const CAPACITY_MIN = 64;

/** A column of u32 that grows. */
export class Uint32Column {
  #values: Uint32Array<ArrayBuffer> = new Uint32Array(CAPACITY_MIN);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get memoryBytes(): number {
    return this.#values.byteLength;
  }

  get(index: number): number {
    return this.#values[index]!;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Uint32Array(Math.ceil(this.#values.length * GROWTH));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }
}

/** Bytes laid end to end, growing. */
export class ByteArena {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(CAPACITY_MIN);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get memoryBytes(): number {
    return this.#bytes.byteLength;
  }

  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, Math.ceil(this.#bytes.length * GROWTH)));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  /** A view, valid until the next append. */
  view(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }
}

/** One bit a row, growing. */
export class Bitmap {
  #words = new Uint32Array(CAPACITY_MIN);

  get memoryBytes(): number {
    return this.#words.byteLength;
  }

  has(row: number): boolean {
    return ((this.#words[row >>> 5] ?? 0) & (1 << (row & 31))) !== 0;
  }

  add(row: number): void {
    const word = row >>> 5;
    if (word >= this.#words.length) {
      const grown = new Uint32Array(Math.max(word + 1, Math.ceil(this.#words.length * GROWTH)));
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[word]! |= 1 << (row & 31);
  }

  copy(): Bitmap {
    const copy = new Bitmap();
    copy.#words = this.#words.slice();
    return copy;
  }
}

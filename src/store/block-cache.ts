/**
 * Blocks read from storage, the least recently used thrown out when they take more than their bound. Reads of one
 * block that overlap share one read.
 */
export class BlockCache {
  readonly #boundBytes: () => number;
  /** In order of use, the latest last. A promise while the block is being read. */
  readonly #blocks = new Map<string, { bytes: number; block: Uint8Array | Promise<Uint8Array> }>();
  #heldBytes = 0;

  /** @param boundBytes is asked each time */
  constructor(boundBytes: () => number) {
    this.#boundBytes = boundBytes;
  }

  get memoryBytes(): number {
    return this.#heldBytes;
  }

  /**
   * @param bytes what the block takes
   * @param read is called when the block is not held
   * @returns the block itself when it is held: waiting for nothing would cost a query more than the search does
   */
  get(key: string, bytes: number, read: () => Promise<Uint8Array>): Uint8Array | Promise<Uint8Array> {
    const held = this.#blocks.get(key);
    if (held) {
      this.#blocks.delete(key);
      this.#blocks.set(key, held);
      return held.block;
    }
    const block = read();
    const entry = { bytes, block: block as Uint8Array | Promise<Uint8Array> };
    this.#blocks.set(key, entry);
    this.#heldBytes += bytes;
    block.then(
      (content) => {
        entry.block = content;
      },
      // What could not be read is not remembered; whoever asked gets the error.
      () => this.#drop(key, entry),
    );
    this.shrink(this.#boundBytes());
    return block;
  }

  /** Throws out what has not been used for longest, until no more than this is held. */
  shrink(bytes: number): void {
    for (const [oldest, each] of this.#blocks) {
      if (this.#heldBytes <= bytes) break;
      this.#drop(oldest, each);
    }
  }

  #drop(key: string, entry: { bytes: number }): void {
    if (this.#blocks.get(key) !== entry) return;
    this.#heldBytes -= entry.bytes;
    this.#blocks.delete(key);
  }
}

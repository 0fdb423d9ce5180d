/**
 * Blocks read from storage, the least recently used thrown out when they take more than their bound. Reads of one
 * block that overlap share one read.
 */
export class BlockCache {
  readonly #boundBytes: number;
  /** In order of use, the latest last. */
  readonly #blocks = new Map<string, { bytes: number; block: Promise<Uint8Array> }>();
  #heldBytes = 0;

  constructor(boundBytes: number) {
    this.#boundBytes = boundBytes;
  }

  get memoryBytes(): number {
    return this.#heldBytes;
  }

  /** @param bytes what the block takes @param read is called when the block is not held */
  get(key: string, bytes: number, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const held = this.#blocks.get(key);
    if (held) {
      this.#blocks.delete(key);
      this.#blocks.set(key, held);
      return held.block;
    }
    const block = read();
    this.#blocks.set(key, { bytes, block });
    this.#heldBytes += bytes;
    // What could not be read is not remembered; whoever asked gets the error.
    block.catch(() => this.#drop(key));
    for (const oldest of this.#blocks.keys()) {
      if (this.#heldBytes <= this.#boundBytes) break;
      this.#drop(oldest);
    }
    return block;
  }

  #drop(key: string): void {
    this.#heldBytes -= this.#blocks.get(key)?.bytes ?? 0;
    this.#blocks.delete(key);
  }
}

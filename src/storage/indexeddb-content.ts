import { BLOCK_BYTES, type BlockDatabase, type FileEntry } from './indexeddb-blocks.ts';

/** Blocks of a file held in memory before they are written without waiting for a flush: 6 MB. */
const HELD_BLOCKS_MAX = 128;

interface HeldBlock {
  /** BLOCK_BYTES long; zeros past the file's end. */
  bytes: Uint8Array<ArrayBuffer>;
  isDirty: boolean;
}

/** A file as its writer sees it: what the device has, under the blocks changed since. */
export class WrittenContent {
  readonly #database: BlockDatabase;
  readonly #entry: FileEntry;
  /** Dirty blocks, blocks being committed, and the last block, which the next append changes. */
  readonly #held = new Map<number, HeldBlock>();
  #sizeBytes: number;
  /** Blocks that the device has, some of them outdated. */
  #storedBlocks: number;
  /** Of those, the ones before a truncation. */
  #validBlocks: number;
  #isChanged = false;

  constructor(database: BlockDatabase, entry: FileEntry) {
    this.#database = database;
    this.#entry = entry;
    this.#sizeBytes = entry.sizeBytes;
    this.#storedBlocks = blockCount(entry.sizeBytes);
    this.#validBlocks = this.#storedBlocks;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Zeros where the file has ended, for whoever wants whole blocks. */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    // Held blocks are copied before anything is awaited: a commit that ends meanwhile lets go of them.
    const missing = new Set<number>();
    for (const index of blocksOf(offset, length)) {
      const held = this.#held.get(index);
      if (held) copyBlock(index, held.bytes, bytes, offset);
      else if (index < this.#validBlocks) missing.add(index);
    }
    if (missing.size > 0) {
      const last = [...missing].at(-1)!;
      const [first] = missing;
      await this.#database.readBlocks(this.#entry, first!, last, (index, block) => {
        if (missing.has(index)) copyBlock(index, block, bytes, offset);
      });
    }
    return bytes;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((offset + done) / BLOCK_BYTES);
      const at = (offset + done) % BLOCK_BYTES;
      const part = bytes.subarray(done, done + BLOCK_BYTES - at);
      const block = await this.#blockToChange(index, part.length === BLOCK_BYTES);
      block.set(part, at);
      done += part.length;
      this.#sizeBytes = Math.max(this.#sizeBytes, offset + done);
      if (this.#held.size > HELD_BLOCKS_MAX) await this.commit();
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    if (sizeBytes < this.#sizeBytes) {
      const kept = blockCount(sizeBytes);
      const end = sizeBytes % BLOCK_BYTES;
      if (end > 0) (await this.#blockToChange(kept - 1, false)).fill(0, end);
      for (const index of this.#held.keys()) if (index >= kept) this.#held.delete(index);
      this.#validBlocks = Math.min(this.#validBlocks, kept);
    }
    this.#sizeBytes = sizeBytes;
    this.#isChanged = true;
  }

  /** One transaction over all that has changed. When it fails, everything is as changed as it was. */
  async commit(): Promise<void> {
    if (!this.#isChanged) return;
    const sizeBytes = this.#sizeBytes;
    const dirty = [...this.#held].filter(([, block]) => block.isDirty);
    const blocks = dirty.map(([index, { bytes }]): [number, Uint8Array] => [
      index,
      bytes.slice(0, Math.min(BLOCK_BYTES, sizeBytes - index * BLOCK_BYTES)),
    ]);
    this.#isChanged = false;
    for (const [, block] of dirty) block.isDirty = false;
    try {
      await this.#database.commit({
        file: { ...this.#entry, sizeBytes },
        ...(this.#validBlocks < this.#storedBlocks && { dropFrom: this.#validBlocks }),
        blocks,
      });
    } catch (thrown) {
      this.#isChanged = true;
      for (const [, block] of dirty) block.isDirty = true;
      throw thrown;
    }
    this.#storedBlocks = this.#validBlocks = blockCount(sizeBytes);
    for (const [index, block] of this.#held)
      if (!block.isDirty && index !== this.#storedBlocks - 1) this.#held.delete(index);
  }

  /** @param isOverwritten nothing of what it holds now is kept */
  async #blockToChange(index: number, isOverwritten: boolean): Promise<Uint8Array<ArrayBuffer>> {
    let block = this.#held.get(index);
    if (!block) {
      const before = isOverwritten
        ? new Uint8Array(BLOCK_BYTES)
        : await this.read(index * BLOCK_BYTES, BLOCK_BYTES);
      block = { bytes: before, isDirty: true };
      this.#held.set(index, block);
    }
    block.isDirty = true;
    this.#isChanged = true;
    return block.bytes;
  }
}

/** Reads what the device has, for who never writes. */
export async function readStored(
  database: BlockDatabase,
  entry: FileEntry,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  const indexes = blocksOf(offset, length);
  if (indexes.length > 0)
    await database.readBlocks(entry, indexes[0]!, indexes.at(-1)!, (index, block) =>
      copyBlock(index, block, bytes, offset),
    );
  return bytes;
}

function blockCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES);
}

/** The blocks that a range of bytes touches. */
function blocksOf(offset: number, length: number): number[] {
  if (length === 0) return [];
  const first = Math.floor(offset / BLOCK_BYTES);
  return Array.from({ length: blockCount(offset + length) - first }, (_, at) => first + at);
}

/** Copies that part of a block which lies within `bytes`, which begin at `offset` of the file. */
function copyBlock(index: number, block: Uint8Array, bytes: Uint8Array, offset: number): void {
  const at = index * BLOCK_BYTES - offset;
  if (at >= 0) bytes.set(block.subarray(0, bytes.length - at), at);
  else bytes.set(block.subarray(-at, bytes.length - at), 0);
}

import type { StorageFile } from './storage.ts';

/** How much of a file is read at a time: large enough that IndexedDB, at 0.3 ms a read, keeps up. */
export const READ_WINDOW_BYTES = 4 * 1024 * 1024;

/** A file read in large pieces, front to back. */
export class ReadWindow {
  readonly #file: StorageFile;
  readonly sizeBytes: number;
  #start = 0;
  #held = new Uint8Array(0);

  /** @param sizeBytes where to stop: the file's size or less */
  constructor(file: StorageFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  get name(): string {
    return this.#file.name;
  }

  /** @returns a view, or undefined where the file ends before */
  async bytes(offset: number, length: number): Promise<Uint8Array | undefined> {
    if (offset + length > this.sizeBytes) return undefined;
    if (offset < this.#start || offset + length > this.#start + this.#held.length) {
      const wanted = Math.min(Math.max(length, READ_WINDOW_BYTES), this.sizeBytes - offset);
      this.#held = await this.#file.read(offset, wanted);
      this.#start = offset;
    }
    return this.#held.subarray(offset - this.#start, offset - this.#start + length);
  }
}

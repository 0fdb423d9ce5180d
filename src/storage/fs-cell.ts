import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { SharedCell } from './storage.ts';

/** More than any cell holds. */
const CELL_BYTES_MAX = 64;

/**
 * A small file as a cell. Synchronous, because what is asked is in the system's memory: a read takes 2 us, where a
 * thread's answer takes 50 (Node 20).
 */
export class FsCell implements SharedCell {
  readonly #path: string;
  readonly #readOnly: boolean;
  #descriptor: number | undefined;

  constructor(path: string, readOnly: boolean) {
    this.#path = path;
    this.#readOnly = readOnly;
  }

  read(): Uint8Array {
    const bytes = new Uint8Array(CELL_BYTES_MAX);
    const descriptor = this.#open();
    if (descriptor === undefined) return bytes.subarray(0, 0);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
  }

  write(bytes: Uint8Array): void {
    const descriptor = this.#open();
    if (descriptor !== undefined) writeSync(descriptor, bytes, 0, bytes.length, 0);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number | undefined {
    try {
      this.#descriptor ??= openSync(
        this.#path,
        this.#readOnly ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT,
      );
    } catch (thrown) {
      // Nobody has written yet, or it cannot be had: then others learn later, under the lock.
      if (!(thrown instanceof Error && 'code' in thrown)) throw thrown;
    }
    return this.#descriptor;
  }
}

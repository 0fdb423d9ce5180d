import { translated, translatedOnce } from './browser-errors.ts';
import { assertPosition, fileClosed, shortRead } from './failures.ts';
import { type HandlePool, readUpTo, type SyncAccessHandle, writeFully } from './opfs-handles.ts';
import { roomFor } from './room.ts';
import type { StorageFile } from './storage.ts';

/** A file that is written through the pool's handle to it. */
export class OpfsFile implements StorageFile {
  readonly name: string;
  readonly #entry: string;
  readonly #location: string;
  readonly #handles: HandlePool;
  readonly #onClose: () => void;
  #closed = false;

  constructor(name: string, entry: string, location: string, handles: HandlePool, onClose: () => void) {
    this.name = name;
    this.#entry = entry;
    this.#location = location;
    this.#handles = handles;
    this.#onClose = onClose;
  }

  size(): Promise<number> {
    return this.#attempt('measure', (handle) => handle.getSize());
  }

  async read(
    offset: number,
    length: number,
    room?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    assertPosition(offset, 'offset');
    assertPosition(length, 'length');
    return this.#attempt('read', (handle) => {
      // Asked before memory is taken: the length may come from damaged bytes.
      const size = handle.getSize();
      if (offset + length > size) throw shortRead(this.#location, this.name, offset, length, size);
      const bytes = readUpTo(handle, offset, roomFor(length, room));
      if (bytes.length < length) throw shortRead(this.#location, this.name, offset, length, size);
      return bytes;
    });
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    assertPosition(offset, 'offset');
    await this.#attempt('write', (handle) => writeFully(handle, bytes, offset));
  }

  append(bytes: Uint8Array): Promise<number> {
    return this.#attempt('append to', (handle) => {
      const offset = handle.getSize();
      writeFully(handle, bytes, offset);
      return offset;
    });
  }

  async truncate(size: number): Promise<void> {
    assertPosition(size, 'size');
    await this.#attempt('truncate', (handle) => handle.truncate(size));
  }

  flush(): Promise<void> {
    return this.#attempt('flush', (handle) => handle.flush(), translatedOnce);
  }

  /** The handle stays in the pool: another opening may follow, and the pool closes it in its turn. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#onClose();
  }

  async #attempt<T>(
    verb: string,
    operation: (handle: SyncAccessHandle) => T,
    translate = translated,
  ): Promise<T> {
    if (this.#closed) throw fileClosed(this.#location, this.name);
    const details = { location: this.#location, file: this.name };
    return translate(`${verb} '${this.name}' in '${this.#location}'`, details, () =>
      this.#handles.use(this.#entry, operation),
    );
  }
}

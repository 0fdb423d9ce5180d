/**
 * The storage contract: named byte files in one place, and nothing about what they hold.
 *
 * Every backend upholds:
 *  - Reads see every write that has resolved, flushed or not.
 *  - A write is durable once `flush()` of its file has resolved; without a flush, any part of it may be lost
 *    when the power goes.
 *  - `replace()` is atomic and durable: whatever happens, `load()` answers the old content or the new.
 *  - Errors are IsovecErrors: STORAGE_IO (with the cause), QUOTA_EXCEEDED when space is what is missing,
 *    CORRUPTION when a replaced file's own checksum fails, CLOSED after `close()`, READ_ONLY for every change to what was
 *    opened read-only, INVALID_ARGUMENT for a name that is empty or too long to be a file's.
 *  - Calls on one file are made one at a time by whoever writes; reads may overlap anything.
 */
export interface StorageBackend {
  readonly kind: StorageKind;
  readonly capabilities: StorageCapabilities;

  /** Names of all files, in no order. A file made by `replace()` counts once, under its own name. */
  list(): Promise<string[]>;

  /** Opens a file for reading and writing.
   *  @param create makes an empty one when it is not there; otherwise that is NOT_FOUND */
  open(name: string, options?: { create?: boolean }): Promise<StorageFile>;

  /** Removes a file; nothing happens if it is not there. The file must not be open. */
  remove(name: string): Promise<void>;

  /** Writes a whole file atomically and durably. Such a file is read with `load()`, never with `open()`. */
  replace(name: string, content: Uint8Array): Promise<void>;

  /** The content given to the last `replace()` of this name, or undefined if there was none. */
  load(name: string): Promise<Uint8Array | undefined>;

  /** Bytes that all files take, as far as the backend can tell. */
  usageBytes(): Promise<number>;

  /** What was here was damaged, and the browser has removed it: its reason. The place is a new one. */
  readonly lost?: string | undefined;

  /** A few bytes under this name that all contexts see as they are, where `sharedWrites`. */
  cell?(name: string): SharedCell;

  /** Closes every file. Idempotent. Does not flush. */
  close(): Promise<void>;
}

/**
 * What one context tells the others at next to no cost: synchronous, never flushed, and nothing that must be true after
 * a crash. A write may be seen half done, so its content checks itself.
 */
export interface SharedCell {
  /** @returns nothing while nobody has written, or where it cannot be read */
  read(): Uint8Array;
  /** As `read`, but may give what was there up to a millisecond earlier in this turn of the event loop, in which hardly anybody can
   *  have told of what others have written since; and the very same array as before as long as its content is the same. */
  glance?(): Uint8Array;
  write(bytes: Uint8Array): void;
}

export interface StorageFile {
  readonly name: string;
  size(): Promise<number>;
  /** Reads exactly `length` bytes.
   *  @param room memory that may be used for them if it suffices: whoever reads much spares taking memory each time
   *  @throws IsovecError CORRUPTION, naming file and offset, when the file ends before them */
  read(offset: number, length: number, room?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Writes within the file or at its end; a gap past the end is filled with zeros. No bytes change nothing. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Writes at the end. @returns the offset at which the bytes now stand */
  append(bytes: Uint8Array): Promise<number>;
  /** Cuts the file, or extends it with zeros. */
  truncate(size: number): Promise<void>;
  flush(): Promise<void>;
  /** Idempotent; does not flush. */
  close(): Promise<void>;
}

export type StorageKind = 'opfs' | 'indexeddb' | 'fs' | 'memory';

export interface StorageCapabilities {
  /** What has been flushed outlives the process. */
  persistent: boolean;
  /** `flush()` reaches the device, as far as the platform promises it. */
  durableFlush: boolean;
  /** Two contexts may have the same files open for reading at once. */
  sharedReads: boolean;
  /** Several contexts may have the same files open for writing; a lock makes them take turns. What one removes can
   *  still be read by those who have it open. */
  sharedWrites: boolean;
}

/** Opens and removes the places where databases live: one implementation per backend kind. */
export interface StorageProvider {
  readonly kind: StorageKind;
  /** Whoever opens for writing holds the place's lock: what a crash left unfinished is removed.
   *  @param create makes the place when it is not there; otherwise, and for reading only, that is NOT_FOUND
   *  @throws IsovecError INVALID_ARGUMENT when the location cannot be one (a file, say), STORAGE_IO when access is denied */
  open(location: string, options: { create: boolean; readOnly: boolean }): Promise<StorageBackend>;
  exists(location: string): Promise<boolean>;
  /** Removes the place and all its files. Nothing happens if it is not there. */
  destroy(location: string): Promise<void>;
}

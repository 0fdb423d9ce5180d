import { translated } from './browser-errors.ts';
import { backendClosed, fileMissing, placeMissing } from './failures.ts';
import { encodeFileName } from './file-name.ts';
import {
  listNames,
  orUndefined,
  ownEntries,
  placeDirectory,
  placeName,
  removeSwapFiles,
  rootDirectory,
} from './opfs-directory.ts';
import { OpfsFile } from './opfs-file.ts';
import {
  HandlePool,
  openSyncHandle,
  readUpTo,
  retryWhileHeld,
  type SyncAccessHandle,
  writeFully,
} from './opfs-handles.ts';
import type { OpfsReader } from './opfs-reader.ts';
import { encodeSlot, readSlots, SLOT_ENDINGS, type SlotPair, slotsDamaged } from './opfs-slots.ts';
import type {
  StorageBackend,
  StorageCapabilities,
  StorageFile,
  StorageKind,
  StorageProvider,
} from './storage.ts';

type LoadReader = () => Promise<{ OpfsReader: typeof OpfsReader }>;

/**
 * The origin private file system of browsers. Writing needs a dedicated worker; reading, looking and removing work
 * anywhere.
 */
export class OpfsProvider implements StorageProvider {
  readonly kind: StorageKind = 'opfs';
  readonly #loadReader: LoadReader;

  /** @param loadReader gives what only readers need, from wherever it has been bundled */
  constructor(loadReader: LoadReader) {
    this.#loadReader = loadReader;
  }

  /** @throws IsovecError UNSUPPORTED where there is no OPFS, or none that can be written, besides what every provider throws */
  async open(location: string, options: { create: boolean; readOnly: boolean }): Promise<StorageBackend> {
    return translated(`open '${location}' in OPFS`, { location }, async () => {
      const directory = await placeDirectory(location, options.create && !options.readOnly);
      if (!directory) throw placeMissing(location);
      if (options.readOnly) {
        const { OpfsReader } = await this.#loadReader();
        return new OpfsReader(location, directory);
      }
      await removeSwapFiles(directory);
      return new OpfsBackend(location, directory);
    });
  }

  async exists(location: string): Promise<boolean> {
    const what = `look for '${location}' in OPFS`;
    return translated(what, { location }, async () => (await placeDirectory(location, false)) !== undefined);
  }

  async destroy(location: string): Promise<void> {
    await translated(`remove '${location}' from OPFS`, { location }, async () => {
      const name = await placeName(location);
      const root = await rootDirectory();
      await retryWhileHeld(() => orUndefined(root.removeEntry(name, { recursive: true })));
    });
  }
}

/** Whether OPFS can be written in this very context. Tried rather than looked up: private windows fail late. */
export async function isOpfsAvailable(): Promise<boolean> {
  try {
    const root = await rootDirectory();
    const name = `probe.${crypto.randomUUID()}`;
    try {
      const handle = await openSyncHandle(await root.getFileHandle(name, { create: true }));
      handle.write(Uint8Array.of(1), { at: 0 });
      handle.flush();
      handle.close();
    } finally {
      await retryWhileHeld(() => orUndefined(root.removeEntry(name)));
    }
    return true;
  } catch {
    return false;
  }
}

class OpfsBackend implements StorageBackend {
  readonly kind: StorageKind = 'opfs';
  readonly capabilities: StorageCapabilities = {
    persistent: true,
    durableFlush: true,
    sharedReads: true,
    sharedWrites: false,
  };
  readonly #location: string;
  readonly #directory: FileSystemDirectoryHandle;
  readonly #handles: HandlePool;
  readonly #openFiles = new Set<OpfsFile>();
  #closing: Promise<void> | undefined;

  constructor(location: string, directory: FileSystemDirectoryHandle) {
    this.#location = location;
    this.#directory = directory;
    this.#handles = new HandlePool(directory, location);
  }

  async list(): Promise<string[]> {
    return this.#attempt('list the files', '', () => listNames(this.#directory));
  }

  async open(name: string, options: { create?: boolean } = {}): Promise<StorageFile> {
    const entry = encodeFileName(name);
    return this.#attempt('open', name, async () => {
      const create = options.create ?? false;
      const found = await orUndefined(this.#directory.getFileHandle(entry, { create }));
      if (!found) throw fileMissing(this.#location, name);
      await this.#handles.use(entry, () => {}); // fails here, and not at the first write, where it cannot be had
      const file = new OpfsFile(name, entry, this.#location, this.#handles, () =>
        this.#openFiles.delete(file),
      );
      this.#openFiles.add(file);
      return file;
    });
  }

  async remove(name: string): Promise<void> {
    const entry = encodeFileName(name);
    await this.#attempt('remove', name, async () => {
      await this.#removeEntry(entry);
      // The newest content goes last: between the two, the file is as it was rather than as it was before.
      const { newestIndex } = await this.#readSlots(entry);
      await this.#removeEntry(entry + SLOT_ENDINGS[1 - newestIndex]);
      await this.#removeEntry(entry + SLOT_ENDINGS[newestIndex]);
    });
  }

  async replace(name: string, content: Uint8Array): Promise<void> {
    const entry = encodeFileName(name);
    await this.#attempt('replace', name, async () => {
      const { newest, newestIndex, isComplete } = await this.#readSlots(entry);
      const image = encodeSlot({ generation: (newest?.generation ?? 0) + 1, content });
      await this.#writeSlot(entry + SLOT_ENDINGS[1 - newestIndex], image);
      if (!isComplete) await this.#writeSlot(entry + SLOT_ENDINGS[newestIndex], image);
    });
  }

  async load(name: string): Promise<Uint8Array | undefined> {
    const entry = encodeFileName(name);
    return this.#attempt('load', name, async () => {
      const { newest, isDamaged } = await this.#readSlots(entry);
      if (isDamaged) throw slotsDamaged(this.#location, name);
      return newest?.content;
    });
  }

  async usageBytes(): Promise<number> {
    return this.#attempt('measure the files', '', async () => {
      const entries = await ownEntries(this.#directory);
      const sizes = await Promise.all(entries.map((entry) => this.#sizeOf(entry)));
      return sizes.reduce((total, size) => total + size, 0);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    for (const file of this.#openFiles) await file.close();
    await this.#handles.close();
  }

  async #sizeOf(entry: string): Promise<number> {
    const handle = this.#handles.openHandle(entry);
    if (handle) return handle.getSize();
    const file = await orUndefined(this.#directory.getFileHandle(entry));
    return file ? (await file.getFile()).size : 0;
  }

  async #removeEntry(entry: string): Promise<void> {
    await this.#handles.release(entry);
    await retryWhileHeld(() => orUndefined(this.#directory.removeEntry(entry)));
  }

  async #readSlots(entry: string): Promise<SlotPair> {
    const images: (Uint8Array | undefined)[] = [];
    for (const ending of SLOT_ENDINGS)
      images.push(await orUndefined(this.#handles.use(entry + ending, readWhole)));
    return readSlots(images);
  }

  async #writeSlot(entry: string, image: Uint8Array): Promise<void> {
    await this.#directory.getFileHandle(entry, { create: true });
    await this.#handles.use(entry, (handle) => {
      writeFully(handle, image, 0);
      handle.truncate(image.length);
      handle.flush();
    });
  }

  async #attempt<T>(verb: string, name: string, operation: () => Promise<T>): Promise<T> {
    if (this.#closing) throw backendClosed(this.#location);
    const what = name === '' ? `${verb} of '${this.#location}'` : `${verb} '${name}' in '${this.#location}'`;
    return translated(what, { location: this.#location, ...(name !== '' && { file: name }) }, operation);
  }
}

function readWhole(handle: SyncAccessHandle): Uint8Array {
  return readUpTo(handle, 0, new Uint8Array(handle.getSize()));
}

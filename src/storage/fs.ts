import { type FileHandle, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { backendClosed, fileMissing, writingRefused } from './failures.ts';
import { decodeFileName, encodeFileName } from './file-name.ts';
import { FsCell } from './fs-cell.ts';
import { systemErrorCode, translated } from './fs-errors.ts';
import { FsFile, writeFully } from './fs-file.ts';
import {
  assertWritable,
  folderExists,
  LOCK_FOLDER_NAME,
  prepareFolder,
  syncFolder,
  UNFINISHED_SUFFIX,
} from './fs-folder.ts';
import type {
  SharedCell,
  StorageBackend,
  StorageCapabilities,
  StorageFile,
  StorageKind,
  StorageProvider,
} from './storage.ts';

/**
 * A folder of files, through node:fs: Node, Deno and Bun.
 *
 * Whatever in the folder does not have a name that isovec would give (encodeFileName) is foreign: it is not listed,
 * and `destroy()` leaves it.
 */
export class FsProvider implements StorageProvider {
  readonly kind: StorageKind = 'fs';

  /** A place opened for writing is cleared of what a crash left half-written: hold the lock before. */
  async open(location: string, options: { create: boolean; readOnly: boolean }): Promise<StorageBackend> {
    await prepareFolder(location, options.create && !options.readOnly);
    if (!options.readOnly) {
      await assertWritable(location);
      await removeUnfinished(location);
      // Files that an earlier process made and did not flush are to be as durable as those made from now on.
      await translated(`sync the folder '${location}'`, { location }, () => syncFolder(location));
    }
    return new FsBackend(location, options.readOnly);
  }

  async exists(location: string): Promise<boolean> {
    return folderExists(location);
  }

  async destroy(location: string): Promise<void> {
    if (!(await folderExists(location))) return;
    await removeUnfinished(location);
    await translated(`remove the database in folder '${location}'`, { location }, async () => {
      for (const entry of await ownEntries(location))
        await rm(join(location, entry.encoded), { force: true });
      await removeLock(location);
      await rmdir(location).catch((thrown: unknown) => {
        if (!FOLDER_STAYS_CODES.has(systemErrorCode(thrown) ?? '')) throw thrown;
      });
    });
  }
}

/** Foreign files keep a folder, and so does being a mount point. ENOENT: somebody else was faster. */
const FOLDER_STAYS_CODES = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'EACCES', 'EPERM']);

class FsBackend implements StorageBackend {
  readonly kind: StorageKind = 'fs';
  readonly capabilities: StorageCapabilities = {
    persistent: true,
    durableFlush: true,
    sharedReads: true,
    sharedWrites: true,
  };
  readonly #location: string;
  readonly #readOnly: boolean;
  readonly #openFiles = new Set<FsFile>();
  readonly #cells = new Set<FsCell>();
  #newNames = 0;
  #durableNames = 0;
  #closed = false;

  constructor(location: string, readOnly: boolean) {
    this.#location = location;
    this.#readOnly = readOnly;
  }

  async list(): Promise<string[]> {
    this.#assertOpen();
    return (await this.#entries()).map((entry) => entry.name);
  }

  async open(name: string, options: { create?: boolean } = {}): Promise<StorageFile> {
    this.#assertOpen();
    const path = this.#path(name);
    const create = options.create ?? false;
    const opened = await this.#attempt('open', name, () => openFile(path, this.#readOnly, create));
    if (!opened && create) this.#assertWritable(name);
    if (!opened) throw fileMissing(this.#location, name);
    // While it was opened, everything may have been closed.
    if (this.#closed) await opened.handle.close();
    this.#assertOpen();
    if (opened.isNew) this.#newNames++;
    const file = new FsFile(opened.handle, {
      name,
      location: this.#location,
      readOnly: this.#readOnly,
      syncNames: () => this.#syncNames(),
      onClose: () => this.#openFiles.delete(file),
    });
    this.#openFiles.add(file);
    return file;
  }

  async remove(name: string): Promise<void> {
    this.#assertOpen();
    this.#assertWritable(name);
    await this.#attempt('remove', name, () => rm(this.#path(name), { force: true }));
  }

  /** The name moves to the new content by a rename; a crash leaves the old file, or the new one whole. */
  async replace(name: string, content: Uint8Array): Promise<void> {
    this.#assertOpen();
    this.#assertWritable(name);
    const path = this.#path(name);
    const aside = path + UNFINISHED_SUFFIX;
    await this.#attempt('replace', name, async () => {
      try {
        const handle = await open(aside, 'w');
        try {
          await writeFully(handle, content, 0);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(aside, path);
      } catch (thrown) {
        await rm(aside, { force: true }).catch(() => {}); // the first failure is the one to report
        throw thrown;
      }
      await syncFolder(this.#location);
    });
  }

  async load(name: string): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    return this.#attempt('load', name, async () => {
      try {
        return new Uint8Array(await readFile(this.#path(name)));
      } catch (thrown) {
        if (systemErrorCode(thrown) === 'ENOENT') return undefined;
        throw thrown;
      }
    });
  }

  async usageBytes(): Promise<number> {
    this.#assertOpen();
    const entries = await this.#entries();
    const sizes = await Promise.all(
      entries.map(({ name, encoded }) =>
        this.#attempt('measure', name, () => sizeIfThere(join(this.#location, encoded))),
      ),
    );
    return sizes.reduce((total, size) => total + size, 0);
  }

  cell(name: string): SharedCell {
    this.#assertOpen();
    const cell = new FsCell(this.#path(name), this.#readOnly);
    this.#cells.add(cell);
    return cell;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const cell of this.#cells) cell.close();
    await Promise.all([...this.#openFiles].map((file) => file.close()));
  }

  /** After the first flush of a new file, its name must be there after a power loss, too. */
  async #syncNames(): Promise<void> {
    const names = this.#newNames;
    if (this.#durableNames >= names) return;
    await syncFolder(this.#location);
    this.#durableNames = Math.max(this.#durableNames, names);
  }

  #path(name: string): string {
    return join(this.#location, encodeFileName(name));
  }

  #entries(): Promise<OwnEntry[]> {
    const what = `list the folder '${this.#location}'`;
    return translated(what, { location: this.#location }, () => ownEntries(this.#location));
  }

  #attempt<T>(verb: string, name: string, operation: () => Promise<T>): Promise<T> {
    const details = { location: this.#location, file: name };
    return translated(`${verb} '${name}' in folder '${this.#location}'`, details, operation);
  }

  #assertOpen(): void {
    if (this.#closed) throw backendClosed(this.#location);
  }

  #assertWritable(name: string): void {
    if (this.#readOnly) throw writingRefused(this.#location, name);
  }
}

interface OpenedFile {
  handle: FileHandle;
  isNew: boolean;
}

/** @returns undefined when it is not there and is not to be made */
async function openFile(path: string, readOnly: boolean, create: boolean): Promise<OpenedFile | undefined> {
  try {
    return { handle: await open(path, readOnly ? 'r' : 'r+'), isNew: false };
  } catch (thrown) {
    if (systemErrorCode(thrown) !== 'ENOENT') throw thrown;
  }
  if (readOnly || !create) return undefined;
  try {
    // Not 'w+', which would empty what another call has made in between.
    return { handle: await open(path, 'wx+'), isNew: true };
  } catch (thrown) {
    if (systemErrorCode(thrown) !== 'EEXIST') throw thrown;
    return { handle: await open(path, 'r+'), isNew: true };
  }
}

interface OwnEntry {
  name: string;
  encoded: string;
}

async function ownEntries(location: string): Promise<OwnEntry[]> {
  const own: OwnEntry[] = [];
  for (const entry of await readdir(location, { withFileTypes: true })) {
    const name = entry.isDirectory() ? undefined : decodeFileName(entry.name);
    if (name !== undefined) own.push({ name, encoded: entry.name });
  }
  return own;
}

/** In one step for those who wait for it, who may be making another by then. */
async function removeLock(location: string): Promise<void> {
  const removed = join(location, `${LOCK_FOLDER_NAME}.removed-${crypto.randomUUID()}`);
  await rename(join(location, LOCK_FOLDER_NAME), removed).catch((thrown: unknown) => {
    if (systemErrorCode(thrown) !== 'ENOENT') throw thrown;
  });
  for (const entry of await readdir(location))
    if (entry.startsWith(`${LOCK_FOLDER_NAME}.`))
      await rm(join(location, entry), { recursive: true, force: true });
}

async function removeUnfinished(location: string): Promise<void> {
  await translated(`clean up the folder '${location}'`, { location }, async () => {
    for (const entry of await readdir(location)) {
      if (!entry.endsWith(UNFINISHED_SUFFIX)) continue;
      const finished = entry.slice(0, -UNFINISHED_SUFFIX.length);
      if (decodeFileName(finished) !== undefined) await rm(join(location, entry), { force: true });
    }
  });
}

async function sizeIfThere(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (systemErrorCode(thrown) === 'ENOENT') return 0; // removed since it was listed
    throw thrown;
  }
}

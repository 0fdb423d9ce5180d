import type { LiveFile } from '../journal/manifest.ts';
import type { StorageFile } from '../storage/storage.ts';
import {
  DATA_HEADER_BYTES,
  type DataFileIdentity,
  dataFileName,
  encodeDataHeader,
} from '../tables/data-header.ts';
import { type FileHasher, openHasher } from './digest.ts';
import type { Engine } from './engine.ts';

/**
 * A file that grows with every checkpoint. It is written behind what the manifest names, at the same places when a
 * failed attempt is repeated, so nothing that is live is ever touched.
 */
export class GrowingFile {
  readonly #file: StorageFile;
  readonly #hasher: FileHasher;
  #bytes: number;

  private constructor(file: StorageFile, hasher: FileHasher, bytes: number) {
    this.#file = file;
    this.#hasher = hasher;
    this.#bytes = bytes;
  }

  /** @param before as the manifest has it; one that is not there begins with its header */
  static async open(
    file: StorageFile,
    identity: DataFileIdentity,
    before: LiveFile | undefined,
    checksum: Engine['checksum'],
  ): Promise<GrowingFile> {
    const hasher = await openHasher(before?.digest ?? checksum);
    const growing = new GrowingFile(file, hasher, before?.bytes ?? DATA_HEADER_BYTES);
    if (!before) {
      const header = encodeDataHeader(identity);
      await file.write(0, header);
      hasher.update(header);
    }
    return growing;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param checksum CRC32C of the bytes, where it is known */
  async write(bytes: Uint8Array, checksum?: number): Promise<void> {
    await this.#file.write(this.#bytes, bytes);
    this.#hasher.update(bytes, checksum);
    this.#bytes += bytes.length;
  }

  /** Flushes. @returns the file as it is now */
  async finish(): Promise<LiveFile> {
    await this.#file.flush();
    return { bytes: this.#bytes, digest: this.#hasher.digest() };
  }
}

/** A file of what is derived of rows, from the first one on, as the manifest names it. */
interface DerivedRows {
  file: string;
  rowCount: number;
}

/**
 * Appends what is derived of the rows that are not stored yet.
 * @param kept what the manifest names, if it is to be gone on with: otherwise a new file begins
 * @param write gets the first row that is not stored
 * @param live receives the file
 */
export async function appendDerived(
  engine: Engine,
  { collectionId, kind, endRow }: Pick<DataFileIdentity, 'collectionId' | 'kind'> & { endRow: number },
  kept: DerivedRows | undefined,
  write: (file: GrowingFile, firstRow: number) => Promise<void>,
  live: Record<string, LiveFile>,
): Promise<DerivedRows> {
  const identity = { collectionId, kind, number: engine.journal.generation + 1 };
  const name = kept?.file ?? dataFileName(identity);
  const stored = { file: name, rowCount: endRow };
  const before = kept && engine.journal.files[name];
  if (kept && before && kept.rowCount === endRow) {
    live[name] = before;
    return stored;
  }
  const file = await engine.storage.open(name, { create: true });
  try {
    const growing = await GrowingFile.open(file, identity, before, engine.checksum);
    await write(growing, kept?.rowCount ?? 0);
    live[name] = await growing.finish();
  } finally {
    await file.close();
  }
  return stored;
}

import { ByteWriter } from '../base/bytes.ts';
import type { LiveFile } from '../journal/manifest.ts';
import { writeRecordBlock } from '../tables/records-file.ts';
import type { RowTable } from '../tables/row-table.ts';
import { encodeExtents, encodeIdBlocks, type RecordExtent } from '../tables/rows-file.ts';
import { vectorStrideBytes } from '../tables/vectors-file.ts';
import { encodeDeaths } from '../tables/write-block.ts';
import { writeVectors } from '../tables/write-vectors.ts';
import type { CollectionFiles, GrowingFiles } from './collection-files.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { GrowingFile } from './growing-file.ts';
import type { RawRecord } from './rows-view.ts';

/** How much is encoded before it is written. Large writes are what all backends do best (platform: 1 MB pieces). */
const PIECE_BYTES = 1024 * 1024;

const KINDS = ['records', 'vectors', 'rows'] as const;

/** Appends rows to a collection's files. */
export class RowsAppender {
  readonly #engine: Engine;
  readonly #collection: Pick<CollectionState, 'id' | 'epoch' | 'config'>;
  readonly #files: CollectionFiles;
  readonly #before: Readonly<Record<string, LiveFile>>;
  readonly #grown = new Map<keyof GrowingFiles, GrowingFile>();
  readonly #extents: RecordExtent[] = [];
  /** What is being written. */
  readonly #piece = new ByteWriter(PIECE_BYTES);

  /** @param before the files as the manifest has them, by name; one that is not there begins here */
  constructor(
    engine: Engine,
    collection: Pick<CollectionState, 'id' | 'epoch' | 'config'>,
    files: CollectionFiles,
    before: Readonly<Record<string, LiveFile>>,
  ) {
    this.#engine = engine;
    this.#collection = collection;
    this.#files = files;
    this.#before = before;
  }

  /** @param records of the rows from `firstRow`; undefined for a dead one */
  async append(rows: RowTable, firstRow: number, records: readonly (RawRecord | undefined)[]): Promise<void> {
    await this.#appendRecords(rows, firstRow, records);
    await this.#appendVectors(firstRow, records);
    for (const block of encodeIdBlocks(rows, firstRow, firstRow + records.length))
      await this.#write('rows', block);
  }

  /**
   * Notes the rows that have died, and flushes.
   * @returns the files as they are now, and where the new records lie
   */
  async finish(
    deaths: readonly number[],
  ): Promise<{ files: Record<string, LiveFile>; extents: RecordExtent[] }> {
    if (deaths.length > 0)
      for (const kind of ['records', 'rows'] as const) await this.#write(kind, encodeDeaths(deaths));
    // Last, so that files which lead to all their records are complete even where no manifest says so.
    if (this.#extents.length > 0) await this.#write('rows', encodeExtents(this.#extents));
    const files: Record<string, LiveFile> = {};
    for (const kind of KINDS) {
      const name = this.#files.names[kind];
      const grown = this.#grown.get(kind);
      files[name] = grown ? await grown.finish() : this.#before[name]!;
    }
    return { files, extents: this.#extents };
  }

  async #appendRecords(
    rows: RowTable,
    firstRow: number,
    records: readonly (RawRecord | undefined)[],
  ): Promise<void> {
    const piece = this.#piece;
    const empty = new Uint8Array();
    const bodyOf = (row: number) => records[row - firstRow]?.body ?? empty;
    const endRow = firstRow + records.length;
    for (let row = firstRow; row < endRow; ) {
      const { bytes } = await this.#growing('records');
      piece.clear();
      while (row < endRow && piece.length < PIECE_BYTES) {
        const start = piece.length;
        const rowCount = writeRecordBlock(piece, rows, bodyOf, row, endRow);
        this.#extents.push({ firstRow: row, rowCount, offset: bytes + start, bytes: piece.length - start });
        row += rowCount;
      }
      await this.#write('records', piece.bytes());
    }
  }

  async #appendVectors(firstRow: number, records: readonly (RawRecord | undefined)[]): Promise<void> {
    const { dimensions } = this.#collection.config;
    const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / vectorStrideBytes(dimensions)));
    const vectorOf = (row: number) => records[row - firstRow];
    const endRow = firstRow + records.length;
    for (let row = firstRow; row < endRow; row += rowsPerPiece) {
      const count = Math.min(rowsPerPiece, endRow - row);
      const checksum = writeVectors(this.#piece, vectorOf, dimensions, row, count);
      await this.#write('vectors', this.#piece.bytes(), checksum);
    }
  }

  async #write(kind: keyof GrowingFiles, bytes: Uint8Array, checksum?: number): Promise<void> {
    if (bytes.length === 0) return;
    await (await this.#growing(kind)).write(bytes, checksum);
  }

  async #growing(kind: keyof GrowingFiles): Promise<GrowingFile> {
    const known = this.#grown.get(kind);
    if (known) return known;
    const { id, epoch } = this.#collection;
    const file = await this.#files.writable(kind);
    const identity = { collectionId: id, kind, number: epoch };
    const before = this.#before[this.#files.names[kind]];
    const growing = await GrowingFile.open(file, identity, before, this.#engine.checksum);
    this.#grown.set(kind, growing);
    return growing;
  }
}

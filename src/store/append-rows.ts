import { encodeFileHeader, FILE_HEADER_BYTES } from '../base/file-header.ts';
import type { StorageFile } from '../storage/storage.ts';
import { encodeRecordBlocks } from '../tables/records-file.ts';
import type { RowTable } from '../tables/row-table.ts';
import { encodeExtents, encodeIdBlocks, type RecordExtent } from '../tables/rows-file.ts';
import { encodeVectors, vectorStrideBytes } from '../tables/vectors-file.ts';
import type { CollectionFiles, GrowingFiles } from './collection-files.ts';
import type { RawRecord } from './collection-state.ts';

/** How much is encoded before it is written. Large writes are what all backends do best (platform: 1 MB pieces). */
const PIECE_BYTES = 1024 * 1024;

/**
 * Appends rows to a collection's files. It writes behind what the manifest names, at the same places when a failed
 * attempt is repeated, so nothing that is live is ever touched.
 */
export class RowsAppender {
  readonly #files: CollectionFiles;
  readonly #lengths: Record<keyof GrowingFiles, number>;
  readonly #extents: RecordExtent[] = [];
  readonly #dimensions: number;

  /** @param lengths of the files as the manifest has them; 0 for one that is not there yet */
  constructor(files: CollectionFiles, lengths: Record<keyof GrowingFiles, number>, dimensions: number) {
    this.#files = files;
    this.#lengths = { ...lengths };
    this.#dimensions = dimensions;
  }

  /** @param records of the rows from `firstRow`; undefined for a dead one */
  async append(rows: RowTable, firstRow: number, records: readonly (RawRecord | undefined)[]): Promise<void> {
    await this.#appendRecords(firstRow, records);
    await this.#appendVectors(firstRow, records);
    for (const block of encodeIdBlocks(rows, firstRow, firstRow + records.length))
      await this.#write('rows', block);
  }

  /** Flushes. @returns how long the files are, and where the new records lie */
  async finish(): Promise<{ lengths: Record<keyof GrowingFiles, number>; extents: RecordExtent[] }> {
    await this.#write('rows', encodeExtents(this.#extents));
    for (const kind of ['records', 'vectors', 'rows'] as const) await (await this.#file(kind)).flush();
    return { lengths: this.#lengths, extents: this.#extents };
  }

  async #appendRecords(firstRow: number, records: readonly (RawRecord | undefined)[]): Promise<void> {
    const empty = new Uint8Array();
    const bodyOf = (row: number) => records[row - firstRow]?.body ?? empty;
    let piece: Uint8Array[] = [];
    let pieceBytes = 0;
    let offset = this.#lengths.records || FILE_HEADER_BYTES;
    for (const block of encodeRecordBlocks(bodyOf, firstRow, firstRow + records.length)) {
      const { firstRow: first, rowCount, bytes } = block;
      this.#extents.push({ firstRow: first, rowCount, offset, bytes: bytes.length });
      offset += bytes.length;
      piece.push(bytes);
      pieceBytes += bytes.length;
      if (pieceBytes < PIECE_BYTES) continue;
      await this.#write('records', concat(piece, pieceBytes));
      piece = [];
      pieceBytes = 0;
    }
    await this.#write('records', concat(piece, pieceBytes));
  }

  async #appendVectors(firstRow: number, records: readonly (RawRecord | undefined)[]): Promise<void> {
    const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / vectorStrideBytes(this.#dimensions)));
    const vectorOf = (row: number) => records[row - firstRow]?.vector;
    const endRow = firstRow + records.length;
    for (let row = firstRow; row < endRow; row += rowsPerPiece) {
      const count = Math.min(rowsPerPiece, endRow - row);
      await this.#write('vectors', encodeVectors(vectorOf, this.#dimensions, row, count));
    }
  }

  async #write(kind: keyof GrowingFiles, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const file = await this.#file(kind);
    if (this.#lengths[kind] === 0) {
      await file.write(0, encodeFileHeader(kind));
      this.#lengths[kind] = FILE_HEADER_BYTES;
    }
    await file.write(this.#lengths[kind], bytes);
    this.#lengths[kind] += bytes.length;
  }

  #file(kind: keyof GrowingFiles): Promise<StorageFile> {
    return this.#files.writable(kind);
  }
}

function concat(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The vectors of a collection that is not quantised, from its file to its index. */
import { crc32c } from '../base/crc32c.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import type { StorageFile } from '../storage/storage.ts';
import { ROOM_BYTES } from '../tables/block-stream.ts';
import { CHECKSUM_BYTES_MAX, CHECKSUM_PIECES_MAX, type PieceChecksums } from '../tables/piece-checksums.ts';
import { decodeVectors, vectorOffset, vectorStrideBytes } from '../tables/vectors-file.ts';
import type { CollectionFiles } from './collection-files.ts';
import type { Filling } from './filling.ts';
import { roomsOf } from './graph-pages.ts';

/** Vectors read at a time where nothing is read ahead. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** The CRC32C of any bytes with their own CRC32C behind them. */
const CHECKSUM_WITH_ITSELF = crc32c(new Uint8Array(4));

/** @throws IsovecError CORRUPTION; what has been taken by then is intact */
export async function loadVectors(
  files: CollectionFiles,
  dimensions: number,
  filling: Filling,
): Promise<void> {
  const { rows, index } = filling;
  const { checksums, addVectors, codeBytes } = index;
  if (checksums && addVectors && codeBytes === 0 && vectorStrideBytes(dimensions) <= CHECKSUM_BYTES_MAX)
    return loadByBlocks(files, dimensions, filling, { checksums, addVectors });
  const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / vectorStrideBytes(dimensions)));
  while (filling.row < rows.rowCount) {
    const vectors = await files.vectors(filling.row, Math.min(rowsPerPiece, rows.rowCount - filling.row));
    filling.take(vectors.length, (row, at) => index.add(row, vectors[at]!));
  }
}

/** Each is read while the one before is checked and taken. */
async function loadByBlocks(
  files: CollectionFiles,
  dimensions: number,
  filling: Filling,
  { checksums, addVectors }: Required<Pick<VectorIndex, 'checksums' | 'addVectors'>>,
): Promise<void> {
  const { rowCount } = filling.rows;
  const stride = vectorStrideBytes(dimensions);
  const rowsPerBlock = Math.floor(ROOM_BYTES / stride);
  const roomOf = roomsOf(filling.index, (rowCount - filling.row) * stride);
  const file = await files.other(files.names.vectors);
  const read = (row: number, room?: Uint8Array<ArrayBuffer>) => {
    const bytes = Math.min(rowsPerBlock, rowCount - row) * stride;
    return bytes > 0 ? file.read(vectorOffset(row, dimensions), bytes, room) : undefined;
  };
  let number = 0;
  let coming = read(filling.row, roomOf?.(number));
  try {
    while (coming) {
      let bytes = await coming;
      const { row } = filling;
      // The room has become void meanwhile.
      if (bytes.length === 0) bytes = (await read(row))!;
      number = 1 - number;
      coming = read(row + bytes.length / stride, roomOf?.(number));
      // Whoever looks at the block before may fail meanwhile.
      coming?.catch(() => {});
      check(bytes, dimensions, row, file, checksums);
      filling.takeVectors(bytes, stride, addVectors);
    }
  } finally {
    await coming?.catch(() => {});
  }
}

/** @throws IsovecError CORRUPTION, naming the row */
function check(
  bytes: Uint8Array,
  dimensions: number,
  firstRow: number,
  { name }: StorageFile,
  checksums: PieceChecksums,
): void {
  const stride = vectorStrideBytes(dimensions);
  const atOnce = stride * Math.min(CHECKSUM_PIECES_MAX, Math.floor(CHECKSUM_BYTES_MAX / stride));
  for (let start = 0; start < bytes.length; start += atOnce)
    if (checksums(bytes.subarray(start, start + atOnce), stride).some((sum) => sum !== CHECKSUM_WITH_ITSELF))
      decodeVectors(bytes.slice(), dimensions, firstRow, name);
}

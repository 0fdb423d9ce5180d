/**
 * The rows file: which id stands in which row, and where the records of which rows lie. Append-only between
 * compactions; read whole on opening. Two kinds of block alternate, one pair or more per checkpoint:
 *
 *  - ids: for each row: u16 length of the id, u32 position, the id in UTF-8;
 *  - extents (a block of no rows): for each block of the records file: u32 first row, u32 row count, u64 offset,
 *    u32 bytes.
 *
 * The tombstones file says which of the rows are dead; each checkpoint writes it anew.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { checkFileHeader, encodeFileHeader, FILE_HEADER_BYTES } from '../base/file-header.ts';
import { BLOCK_HEADER_BYTES, checkBlock, decodeBlockHeader, encodeBlock } from './block.ts';
import type { RowTable } from './row-table.ts';

/** Rows of one block: some 3 MB with UUIDs, checked in one go on opening. */
const ROWS_PER_BLOCK = 65_536;

/** Where one block of the records file lies. */
export interface RecordExtent {
  firstRow: number;
  rowCount: number;
  offset: number;
  bytes: number;
}

/** Id blocks for the rows from `firstRow` up to (not including) `endRow`. */
export function* encodeIdBlocks(
  rows: RowTable,
  firstRow: number,
  endRow: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let start = firstRow; start < endRow; start += ROWS_PER_BLOCK) {
    const end = Math.min(start + ROWS_PER_BLOCK, endRow);
    const writer = new ByteWriter((end - start) * 48);
    for (let row = start; row < end; row++) {
      const id = rows.idBytes(row);
      writer.u16(id.length).u32(rows.position(row)).raw(id);
    }
    yield encodeBlock(start, end - start, writer.bytes());
  }
}

export function encodeExtents(extents: readonly RecordExtent[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(extents.length * 20);
  for (const { firstRow, rowCount, offset, bytes } of extents)
    writer.u32(firstRow).u32(rowCount).u64(offset).u32(bytes);
  return encodeBlock(0, 0, writer.bytes());
}

export interface RowsVisitor {
  row(id: Uint8Array, position: number): void;
  extent(extent: RecordExtent): void;
}

/** @param bytes the whole file @throws IsovecError CORRUPTION, FORMAT_VERSION */
export function decodeRowsFile(bytes: Uint8Array, file: string, visitor: RowsVisitor): void {
  checkFileHeader(bytes, 'rows', file);
  const reader = new ByteReader(bytes, file);
  reader.raw(FILE_HEADER_BYTES);
  while (reader.remaining > 0) {
    const offset = reader.offset;
    const header = decodeBlockHeader(reader.raw(BLOCK_HEADER_BYTES), file);
    reader.raw(header.payloadBytes);
    const payload = checkBlock(header, bytes.subarray(offset), file, offset);
    if (header.rowCount > 0) decodeIds(payload, header.rowCount, file, visitor);
    else decodeExtents(payload, file, visitor);
  }
}

function decodeIds(payload: Uint8Array, rowCount: number, file: string, visitor: RowsVisitor): void {
  const reader = new ByteReader(payload, file);
  for (let index = 0; index < rowCount; index++) {
    const length = reader.u16();
    const position = reader.u32();
    visitor.row(reader.raw(length), position);
  }
  if (reader.remaining > 0) throw reader.fail(`${reader.remaining} bytes too many`);
}

function decodeExtents(payload: Uint8Array, file: string, visitor: RowsVisitor): void {
  const reader = new ByteReader(payload, file);
  while (reader.remaining > 0)
    visitor.extent({
      firstRow: reader.u32(),
      rowCount: reader.u32(),
      offset: reader.u64(),
      bytes: reader.u32(),
    });
}

/** @param rowCount how many rows, from 0, the file is to speak of */
export function encodeTombstones(rows: RowTable, rowCount: number): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(Math.ceil(rowCount / 8));
  for (let row = 0; row < rowCount; row++) if (!rows.isLive(row)) bits[row >>> 3]! |= 1 << (row & 7);
  const writer = new ByteWriter(FILE_HEADER_BYTES + 8 + bits.length).raw(encodeFileHeader('tombstones'));
  return writer.u32(crc32c(bits)).u32(rowCount).raw(bits).bytes();
}

/** @returns whether a row is dead */
export function decodeTombstones(bytes: Uint8Array, file: string): (row: number) => boolean {
  checkFileHeader(bytes, 'tombstones', file);
  const reader = new ByteReader(bytes, file);
  reader.raw(FILE_HEADER_BYTES);
  const checksum = reader.u32();
  const rowCount = reader.u32();
  const bits = reader.raw(Math.ceil(rowCount / 8));
  if (reader.remaining > 0 || crc32c(bits) !== checksum)
    throw reader.fail('tombstones that do not match their checksum');
  return (row) => row < rowCount && (bits[row >>> 3]! & (1 << (row & 7))) !== 0;
}

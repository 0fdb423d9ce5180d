/**
 * The rows file: which id stands in which row, which rows are dead, and where the records of which rows lie.
 * Append-only between compactions; read whole on opening. After the header come blocks, those of a checkpoint
 * together:
 *
 *  - ids: for each row: u16 length of the id, u32 position, the id in UTF-8;
 *  - extents: for each block of records in the records file: u32 first row, u32 row count, u64 offset, u32 bytes;
 *  - deaths: u32 row, for each row that has died since the checkpoint before.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { BLOCK_HEADER_BYTES, BLOCK_KINDS, type Block, checkBlock, decodeBlockHeader } from './block.ts';
import { checkDataHeader, DATA_HEADER_BYTES } from './data-header.ts';
import type { RowTable } from './row-table.ts';
import { decodeDeaths, encodeBlock } from './write-block.ts';

/** Rows of one block: some 3 MB with UUIDs, checked in one go on opening. */
const ROWS_PER_BLOCK = 65_536;

/** Where one block of the records file lies. */
export interface RecordExtent {
  firstRow: number;
  rowCount: number;
  offset: number;
  bytes: number;
}

export interface RowsFileContent {
  /** Blocks of ids, in order of rows. */
  ids: Block[];
  extents: RecordExtent[];
  deaths: number[];
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
    yield encodeBlock('ids', start, end - start, writer.bytes());
  }
}

export function encodeExtents(extents: readonly RecordExtent[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(extents.length * 20);
  for (const { firstRow, rowCount, offset, bytes } of extents)
    writer.u32(firstRow).u32(rowCount).u64(offset).u32(bytes);
  return encodeBlock('extents', 0, 0, writer.bytes());
}

/** @param bytes the whole file @throws IsovecError CORRUPTION, FORMAT_VERSION */
export function decodeRowsFile(bytes: Uint8Array, file: string): RowsFileContent {
  checkDataHeader(bytes, 'rows', file);
  return decodeRowsBlocks(bytes, DATA_HEADER_BYTES, file);
}

/** @param bytes of the file, of which blocks begin at `start` @throws IsovecError CORRUPTION */
export function decodeRowsBlocks(bytes: Uint8Array, start: number, file: string): RowsFileContent {
  const reader = new ByteReader(bytes, file);
  reader.raw(start);
  const content: RowsFileContent = { ids: [], extents: [], deaths: [] };
  while (reader.remaining > 0) {
    const offset = reader.offset;
    const header = decodeBlockHeader(reader.raw(BLOCK_HEADER_BYTES), file);
    reader.raw(header.payloadBytes);
    const payload = checkBlock(header, bytes.subarray(offset), file, offset);
    takeRowsBlock({ ...header, offset, payload }, content, file);
  }
  return content;
}

/** Adds what a checked block says. @throws IsovecError CORRUPTION */
export function takeRowsBlock(block: Block, content: RowsFileContent, file: string): void {
  const { kind, payload, offset } = block;
  if (kind === BLOCK_KINDS.ids) content.ids.push(block);
  else if (kind === BLOCK_KINDS.extents)
    for (const extent of decodeExtents(payload, file)) content.extents.push(extent);
  else if (kind === BLOCK_KINDS.deaths) for (const row of decodeDeaths(block, file)) content.deaths.push(row);
  else throw new ByteReader(payload, file).fail(`a block of unknown kind ${kind} (block at byte ${offset})`);
}

/** The rows of an id block, in order. @throws IsovecError CORRUPTION */
export function decodeIds(
  { payload, rowCount }: Block,
  file: string,
  visit: (id: Uint8Array, position: number) => void,
): void {
  const reader = new ByteReader(payload, file);
  for (let index = 0; index < rowCount; index++) {
    const length = reader.u16();
    const position = reader.u32();
    visit(reader.raw(length), position);
  }
  if (reader.remaining > 0) throw reader.fail(`${reader.remaining} bytes too many`);
}

function decodeExtents(payload: Uint8Array, file: string): RecordExtent[] {
  const reader = new ByteReader(payload, file);
  const extents: RecordExtent[] = [];
  while (reader.remaining > 0)
    extents.push({
      firstRow: reader.u32(),
      rowCount: reader.u32(),
      offset: reader.u64(),
      bytes: reader.u32(),
    });
  return extents;
}

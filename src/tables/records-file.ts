/**
 * The records file: for each block of rows a block whose payload is a table of u32 end offsets, one a row, then one
 * entry a row, end to end; and at the end of each checkpoint, if there are any, the rows that have died since the one
 * before. Append-only between compactions. It holds all that the rows file does, and so can stand in for it.
 *
 * An entry can be believed alone, where the rest of its block is damaged:
 *
 *   0  4  checksum  CRC32C of the row's number (u32), then everything after the checksum
 *   4  4  length    of the entry, in bytes
 *   8  4  position  of the row in insertion order
 *  12  2  length    of the id
 *  14     id, in UTF-8
 *         body: the record's metadata and text, as store/body.ts has them; empty if the row was dead when it was written
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { ENTRY_HEADER_BYTES, type RecordEntry } from './record-entry.ts';
import type { RowTable } from './row-table.ts';
import { writeBlock } from './write-block.ts';

/** A block is what one read brings in. 16 KB are read and checked in about 20 microseconds. */
const BLOCK_ENTRIES_BYTES = 16 * 1024;
const ROWS_PER_BLOCK_MAX = 256;

/**
 * Writes one block behind what the writer holds, of as many of the rows from `firstRow` up to (not including) `endRow`
 * as go into one.
 * @returns how many
 */
export function writeRecordBlock(
  writer: ByteWriter,
  rows: RowTable,
  bodyOf: (row: number) => Uint8Array,
  firstRow: number,
  endRow: number,
): number {
  const ends: number[] = [];
  let end = 0;
  for (let row = firstRow; row < endRow && ends.length < ROWS_PER_BLOCK_MAX; row++) {
    if (end >= BLOCK_ENTRIES_BYTES) break;
    end += ENTRY_HEADER_BYTES + rows.idBytes(row).length + bodyOf(row).length;
    ends.push(end);
  }
  writeBlock(writer, 'records', firstRow, ends.length, ends.length * 4 + end, () => {
    for (const each of ends) writer.u32(each);
    for (let row = firstRow; row < firstRow + ends.length; row++)
      writeEntry(writer, row, { position: rows.position(row), id: rows.idBytes(row), body: bodyOf(row) });
  });
  return ends.length;
}

function writeEntry(writer: ByteWriter, row: number, { position, id, body }: RecordEntry): void {
  const start = writer.length;
  const length = ENTRY_HEADER_BYTES + id.length + body.length;
  writer.u32(row).u32(length).u32(position).u16(id.length).raw(id).raw(body);
  // The row's number makes room for the checksum that it begins.
  writer.patchU32(start, writer.checksum(start));
}

function entryChecksum(row: number, entry: Uint8Array): number {
  return crc32c(entry.subarray(4), crc32c(new ByteWriter(4).u32(row).bytes()));
}

/**
 * The entries of a damaged block that are intact. Each is looked for where the table of offsets says, and where the
 * entry before it ends.
 * @param payload as much of it as there is
 * @returns by index within the block; undefined where the bytes are damaged
 */
export function salvageEntries(
  payload: Uint8Array,
  firstRow: number,
  rowCount: number,
): (RecordEntry | undefined)[] {
  const reader = (at: number) => new ByteReader(payload.subarray(at), 'record entry');
  const entriesAt = rowCount * 4;
  const entries: (RecordEntry | undefined)[] = [];
  let chained: number | undefined = entriesAt;
  for (let index = 0; index < rowCount; index++) {
    const tableAt = index * 4 - 4;
    const tabled = index > 0 && tableAt + 4 <= payload.length ? entriesAt + reader(tableAt).u32() : undefined;
    let entry: RecordEntry | undefined;
    let end: number | undefined;
    for (const at of [chained, tabled]) {
      if (at === undefined || entry) continue;
      entry = intactEntry(payload, at, firstRow + index);
      if (entry) end = at + ENTRY_HEADER_BYTES + entry.id.length + entry.body.length;
    }
    entries.push(entry);
    chained = end;
  }
  return entries;
}

function intactEntry(payload: Uint8Array, at: number, row: number): RecordEntry | undefined {
  if (at + ENTRY_HEADER_BYTES > payload.length) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset + at, ENTRY_HEADER_BYTES);
  const length = view.getUint32(4, true);
  const idLength = view.getUint16(12, true);
  if (length > payload.length - at || ENTRY_HEADER_BYTES + idLength > length) return undefined;
  const entry = payload.subarray(at, at + length);
  if (entryChecksum(row, entry) !== view.getUint32(0, true)) return undefined;
  const idEnd = ENTRY_HEADER_BYTES + idLength;
  return {
    position: view.getUint32(8, true),
    id: entry.subarray(ENTRY_HEADER_BYTES, idEnd),
    body: entry.subarray(idEnd),
  };
}

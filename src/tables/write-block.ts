/** Blocks as they are written, and those that any file may have: see block.ts. */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { BLOCK_HEADER_BYTES, BLOCK_KINDS, type Block, type BlockKind } from './block.ts';

export function encodeBlock(
  kind: BlockKind,
  firstRow: number,
  rowCount: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(BLOCK_HEADER_BYTES + payload.length);
  writeBlock(writer, kind, firstRow, rowCount, payload.length, () => writer.raw(payload));
  return writer.bytes();
}

/** Behind what the writer holds. @param writePayload writes `payloadBytes` */
export function writeBlock(
  writer: ByteWriter,
  kind: BlockKind,
  firstRow: number,
  rowCount: number,
  payloadBytes: number,
  writePayload: () => void,
): void {
  const start = writer.length;
  writer.u32(0).u32(payloadBytes).u32(BLOCK_KINDS[kind]).u32(firstRow).u32(rowCount);
  writePayload();
  writer.patchU32(start, writer.checksum(start + 4));
}

/** Rows that have died since the blocks before were written: u32 each. */
export function encodeDeaths(rows: readonly number[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(rows.length * 4);
  for (const row of rows) writer.u32(row);
  return encodeBlock('deaths', 0, rows.length, writer.bytes());
}

/** @throws IsovecError CORRUPTION */
export function decodeDeaths({ payload, rowCount }: Block, file: string): number[] {
  const reader = new ByteReader(payload, file);
  const rows = Array.from({ length: Math.min(rowCount, payload.length / 4) }, () => reader.u32());
  if (rows.length !== rowCount || reader.remaining > 0)
    throw reader.fail(`${payload.length} bytes for the deaths of ${rowCount} rows`);
  return rows;
}

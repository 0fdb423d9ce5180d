/**
 * The payload file of a collection: after the header, blocks of consecutive rows. A block's payload is the columns of
 * its rows, one after another, each a length (u32) and as many bytes. Derived from the records: it spares reading them
 * all on opening.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_KINDS,
  checkBlock,
  corruptBlock,
  decodeBlockHeader,
} from '../tables/block.ts';
import { encodeBlock } from '../tables/write-block.ts';
import type { PayloadIndex } from './payload-index.ts';

/** Of one block: half a megabyte of a column of numbers. */
export const ROWS_PER_BLOCK = 65_536;

export function encodePayloadBlock(
  index: PayloadIndex,
  firstRow: number,
  endRow: number,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  for (const bytes of index.encode(firstRow, endRow)) writer.u32(bytes.length).raw(bytes);
  return encodeBlock('payload', firstRow, endRow - firstRow, writer.bytes());
}

/**
 * Gives an index the rows of one block, which must be its next.
 * @param read as of the file, from the block's offset on
 * @returns length of the block
 * @throws IsovecError CORRUPTION
 */
export async function readPayloadBlock(
  index: PayloadIndex,
  file: string,
  offset: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<number> {
  const header = decodeBlockHeader(await read(offset, BLOCK_HEADER_BYTES), file);
  const { kind, firstRow, rowCount, payloadBytes } = header;
  if (kind !== BLOCK_KINDS.payload || firstRow !== index.rowCount || rowCount === 0)
    throw corruptBlock(file, offset, `does not hold the payload from row ${index.rowCount} on`);
  const bytes = BLOCK_HEADER_BYTES + payloadBytes;
  const payload = checkBlock(header, await read(offset, bytes), file, offset);
  const reader = new ByteReader(payload, file);
  const columns = Object.keys(index.fields).map(() => reader.raw(reader.u32()));
  index.decode(columns, rowCount, file);
  return bytes;
}

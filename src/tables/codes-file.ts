/**
 * The codes file of a quantised collection: after the header, blocks whose payload is the codes of consecutive rows,
 * end to end, as the kernel has them. Derived from the vectors: it spares reading and encoding them anew on opening.
 */
import { BLOCK_HEADER_BYTES, BLOCK_KINDS, type BlockHeader, checkBlock, corruptBlock } from './block.ts';
import { type ReadBytes, type RoomOf, streamBlocks } from './block-stream.ts';
import { DATA_HEADER_BYTES } from './data-header.ts';
import { checksumOf, type PieceChecksums } from './piece-checksums.ts';
import { encodeBlock } from './write-block.ts';

/** Codes of one block: what one read brings in on opening, checked in one go. */
const PAYLOAD_BYTES = 1024 * 1024;

/** @param codeOf undefined for a row that is dead: zeros are stored */
export function* encodeCodesBlocks(
  codeOf: (row: number) => Uint8Array | undefined,
  codeBytes: number,
  firstRow: number,
  endRow: number,
): Generator<Uint8Array<ArrayBuffer>> {
  const rowsPerBlock = Math.max(1, Math.floor(PAYLOAD_BYTES / codeBytes));
  for (let start = firstRow; start < endRow; start += rowsPerBlock) {
    const rowCount = Math.min(rowsPerBlock, endRow - start);
    const payload = new Uint8Array(rowCount * codeBytes);
    for (let index = 0; index < rowCount; index++) {
      const code = codeOf(start + index);
      if (code) payload.set(code, index * codeBytes);
    }
    yield encodeBlock('codes', start, rowCount, payload);
  }
}

/**
 * The codes of so many rows, from 0 on. What is handed over holds until the next is asked for.
 * @param end of what counts of the file
 * @throws IsovecError CORRUPTION; what has been handed over by then is intact
 */
export async function* decodeCodes(
  read: ReadBytes,
  {
    file,
    end,
    rowCount,
    codeBytes,
    checksums,
    roomOf,
  }: {
    file: string;
    end: number;
    rowCount: number;
    codeBytes: number;
    checksums: PieceChecksums;
    roomOf?: RoomOf | undefined;
  },
): AsyncGenerator<Uint8Array, void, void> {
  let row = 0;
  const endOf = ({ kind, firstRow, rowCount: count, payloadBytes }: BlockHeader, offset: number) => {
    if (kind !== BLOCK_KINDS.codes || firstRow !== row || count === 0 || payloadBytes !== count * codeBytes)
      throw corruptBlock(file, offset, `does not hold the codes from row ${row} on`);
    row += count;
    return offset + BLOCK_HEADER_BYTES + payloadBytes;
  };
  const checksum = (bytes: Uint8Array) => checksumOf(bytes, checksums);
  for await (const block of streamBlocks(read, { file, start: DATA_HEADER_BYTES, end, endOf, roomOf }))
    yield checkBlock(block.header, block.bytes, file, block.offset, checksum);
  if (row !== rowCount)
    throw corruptBlock(file, end, `would begin with row ${row}, where ${rowCount} are stored`);
}

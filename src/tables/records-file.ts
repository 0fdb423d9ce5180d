/**
 * The records file: blocks whose payload is a table of u32 end offsets, one a row, then the records' bodies end to
 * end. A body is the record's metadata as JSON in UTF-8; that of a row that was dead when it was written is empty.
 * Append-only between compactions.
 */
import { ByteWriter } from '../base/bytes.ts';
import { IsovecError } from '../base/errors.ts';
import { encodeBlock } from './block.ts';

/** A block is what one read brings in. 16 KB are read and checked in about 20 microseconds. */
const BLOCK_BODY_BYTES = 16 * 1024;
const ROWS_PER_BLOCK_MAX = 256;

export interface RecordBlock {
  firstRow: number;
  rowCount: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Blocks for the rows from `firstRow` up to (not including) `endRow`. */
export function* encodeRecordBlocks(
  bodyOf: (row: number) => Uint8Array,
  firstRow: number,
  endRow: number,
): Generator<RecordBlock> {
  for (let start = firstRow; start < endRow; ) {
    const bodies: Uint8Array[] = [];
    let bodyBytes = 0;
    for (
      let row = start;
      row < endRow && bodies.length < ROWS_PER_BLOCK_MAX && bodyBytes < BLOCK_BODY_BYTES;
      row++
    ) {
      const body = bodyOf(row);
      bodies.push(body);
      bodyBytes += body.length;
    }
    const writer = new ByteWriter(bodies.length * 4 + bodyBytes);
    let end = 0;
    for (const body of bodies) {
      end += body.length;
      writer.u32(end);
    }
    for (const body of bodies) writer.raw(body);
    yield {
      firstRow: start,
      rowCount: bodies.length,
      bytes: encodeBlock(start, bodies.length, writer.bytes()),
    };
    start += bodies.length;
  }
}

/** @param payload a record block's, checked @param index of the row within the block @returns the body, a view */
export function bodyInBlock(
  payload: Uint8Array,
  rowCount: number,
  index: number,
  source: string,
): Uint8Array {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const bodiesAt = rowCount * 4;
  const start = index === 0 ? bodiesAt : bodiesAt + view.getUint32(index * 4 - 4, true);
  const end = bodiesAt + view.getUint32(index * 4, true);
  if (start > end || end > payload.length)
    throw new IsovecError(
      'CORRUPTION',
      `${source}: a record from ${start} to ${end} in a block of ${payload.length}`,
      {
        details: { file: source },
      },
    );
  return payload.subarray(start, end);
}

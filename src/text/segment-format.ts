/**
 * A segment file: the terms of the texts of consecutive rows. Never changed once written. Behind the file's header come
 *
 *  - postings blocks: the postings of consecutive terms, end to end. The block's rows are the segment's;
 *  - a terms block: varint of how many postings blocks there are; for each, varints of how many terms it is of, how many
 *    bytes those take in what follows, and how many bytes the block takes in the file; then for each term, in the order of
 *    UTF-16 units: varint of how many bytes it shares with the term before in its block, varint of how many more it has,
 *    those, in UTF-8, varint of how many rows have it, varint of how many bytes its postings take;
 *  - a lengths block: of each row, a varint of how many terms its text has, repetitions included;
 *  - a segment block of SEGMENT_PAYLOAD_BYTES, with which the file ends: u32 bytes of the terms block, u32 bytes of the
 *    lengths block, u32 ANALYSIS_VERSION.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { IsovecError } from '../base/errors.ts';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_KINDS,
  type BlockKind,
  checkBlock,
  corruptBlock,
  decodeBlockHeader,
} from '../tables/block.ts';

export const SEGMENT_PAYLOAD_BYTES = 12;
/** Goes up when texts are taken apart in another way: segments of before are made anew then. */
export const ANALYSIS_VERSION = 1;
export const FOOTER_BYTES = BLOCK_HEADER_BYTES + SEGMENT_PAYLOAD_BYTES;

export interface SegmentRows {
  firstRow: number;
  rowCount: number;
}

/** Bytes of a segment, wherever they are. */
export interface SegmentSource {
  name: string;
  bytes: number;
  read: (offset: number, length: number) => Promise<Uint8Array>;
}

/** @throws IsovecError CORRUPTION */
export async function readBlock(
  { name, read }: SegmentSource,
  kind: BlockKind,
  offset: number,
  length: number,
  rows: SegmentRows,
): Promise<Uint8Array> {
  const bytes = await read(offset, length);
  const header = decodeBlockHeader(bytes, name);
  if (
    header.kind !== BLOCK_KINDS[kind] ||
    header.firstRow !== rows.firstRow ||
    header.rowCount !== rows.rowCount ||
    header.payloadBytes !== length - BLOCK_HEADER_BYTES
  )
    throw corruptBlock(name, offset, `does not hold the ${kind} of this segment`);
  return checkBlock(header, bytes, name, offset);
}

export function encodeFooter(termsBytes: number, lengthsBytes: number): Uint8Array<ArrayBuffer> {
  return new ByteWriter(SEGMENT_PAYLOAD_BYTES)
    .u32(termsBytes)
    .u32(lengthsBytes)
    .u32(ANALYSIS_VERSION)
    .bytes();
}

/** @throws IsovecError FORMAT_VERSION where terms are of another kind than here */
export function decodeFooter(
  payload: Uint8Array,
  source: string,
): { termsBytes: number; lengthsBytes: number } {
  const reader = new ByteReader(payload, source);
  const footer = { termsBytes: reader.u32(), lengthsBytes: reader.u32() };
  const version = reader.u32();
  if (version === ANALYSIS_VERSION) return footer;
  throw new IsovecError('FORMAT_VERSION', `${source}: texts taken apart by version ${version}`);
}

/**
 * The graph file: the pages of a graph image. Append-only: a checkpoint adds the pages that have changed since the one
 * before, and the image's header; of several with one number the last counts, and one that has never been stored is
 * all zeros. After the file's header come, for each checkpoint:
 *
 *  - pages blocks: for each page, u32 its number and u32 the CRC32C of its bytes. The pages themselves follow behind
 *    the block, PAGE_BYTES each;
 *  - an image block: the header of the image. What the manifest counts of the file ends with one.
 */
import { ByteWriter } from '../base/bytes.ts';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_KINDS,
  type BlockHeader,
  checkBlock,
  corruptBlock,
  decodeBlockHeader,
} from './block.ts';
import { type ReadBytes, type RoomOf, streamBlocks } from './block-stream.ts';
import { DATA_HEADER_BYTES } from './data-header.ts';
import { CHECKSUM_BYTES_MAX, type PieceChecksums } from './piece-checksums.ts';
import { encodeBlock } from './write-block.ts';

/**
 * What is stored or left alone as one. Linking a vector touches the links of some 40 others, anywhere: after 100 more in
 * 100,000 (m = 16), pages of 4 KiB would be two thirds of the image.
 */
export const PAGE_BYTES = 512;
const TABLE_ENTRY_BYTES = 8;

export interface Page {
  number: number;
  checksum: number;
}

/** The block that goes before so many pages. */
export function encodePageTable(pages: readonly Page[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(pages.length * TABLE_ENTRY_BYTES);
  for (const { number, checksum } of pages) writer.u32(number).u32(checksum);
  return encodeBlock('pages', 0, pages.length, writer.bytes());
}

export function encodeImageHeader(header: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeBlock('image', 0, 0, header);
}

/** Receives pages that follow each other, up to RUN_PAGES_MAX. All holds until it returns. */
export type PagesVisitor = (firstNumber: number, checksums: Uint32Array, bytes: Uint8Array) => void;

/** 64 KiB. */
const RUN_PAGES_MAX = CHECKSUM_BYTES_MAX / PAGE_BYTES;

/** Reads a graph file as far as it counts. */
export class GraphFileReader {
  readonly #file: string;
  readonly #read: ReadBytes;
  readonly #bytes: number;

  /** @param bytes of the file that count */
  constructor(file: string, bytes: number, read: ReadBytes) {
    this.#file = file;
    this.#bytes = bytes;
    this.#read = read;
  }

  /** @returns the header of the image, checked @throws IsovecError CORRUPTION */
  async header(headerBytes: number): Promise<Uint8Array> {
    const offset = this.#bytes - BLOCK_HEADER_BYTES - headerBytes;
    if (offset < DATA_HEADER_BYTES)
      throw corruptBlock(this.#file, offset, 'would begin before the blocks do');
    const block = await this.#read(offset, this.#bytes - offset);
    const head = decodeBlockHeader(block, this.#file);
    if (head.kind !== BLOCK_KINDS.image || head.payloadBytes !== headerBytes)
      throw corruptBlock(this.#file, offset, 'is not the header of an image');
    return checkBlock(head, block, this.#file, offset);
  }

  /** All pages, checked, in the order in which they were stored. @throws IsovecError CORRUPTION */
  async pages(visit: PagesVisitor, checksums: PieceChecksums, roomOf?: RoomOf): Promise<void> {
    const stretch = {
      file: this.#file,
      start: DATA_HEADER_BYTES,
      end: this.#bytes,
      endOf: (header: BlockHeader, offset: number) => this.#endOf(header, offset),
      roomOf,
    };
    for await (const { header, bytes, offset } of streamBlocks(this.#read, stretch)) {
      const entries = checkBlock(header, bytes, this.#file, offset);
      if (header.kind !== BLOCK_KINDS.pages) continue;
      const pages = bytes.subarray(BLOCK_HEADER_BYTES + entries.length);
      const table = decodeTable(entries);
      this.#check(table, pages, checksums, offset);
      visitRuns(table, pages, visit);
    }
  }

  /** Of a block and the pages behind it. */
  #endOf({ kind, payloadBytes, rowCount }: BlockHeader, offset: number): number {
    const isTable = kind === BLOCK_KINDS.pages && payloadBytes === rowCount * TABLE_ENTRY_BYTES;
    const end = offset + BLOCK_HEADER_BYTES + payloadBytes + (isTable ? rowCount * PAGE_BYTES : 0);
    if (!isTable && kind !== BLOCK_KINDS.image)
      throw corruptBlock(this.#file, offset, 'is neither pages nor the header of an image');
    if (end > this.#bytes) throw corruptBlock(this.#file, offset, 'ends behind the file');
    return end;
  }

  /** @param offset of the block */
  #check(table: PageTable, pages: Uint8Array, checksums: PieceChecksums, offset: number): void {
    for (let start = 0; start < table.numbers.length; start += RUN_PAGES_MAX) {
      const found = checksums(
        pages.subarray(start * PAGE_BYTES, (start + RUN_PAGES_MAX) * PAGE_BYTES),
        PAGE_BYTES,
      );
      for (let at = 0; at < found.length; at++)
        if (found[at] !== table.checksums[start + at])
          throw corruptBlock(this.#file, offset, `has a damaged page, its number ${start + at}`);
    }
  }
}

interface PageTable {
  numbers: Uint32Array;
  checksums: Uint32Array;
}

function decodeTable(entries: Uint8Array): PageTable {
  // A copy begins at a whole word.
  const words = new Uint32Array(entries.slice().buffer);
  const count = words.length / 2;
  const table = { numbers: new Uint32Array(count), checksums: new Uint32Array(count) };
  for (let index = 0; index < count; index++) {
    table.numbers[index] = words[2 * index]!;
    table.checksums[index] = words[2 * index + 1]!;
  }
  return table;
}

function visitRuns({ numbers, checksums }: PageTable, pages: Uint8Array, visit: PagesVisitor): void {
  for (let start = 0; start < numbers.length; ) {
    let end = start + 1;
    while (end < numbers.length && end - start < RUN_PAGES_MAX && numbers[end] === numbers[end - 1]! + 1)
      end++;
    const run = pages.subarray(start * PAGE_BYTES, end * PAGE_BYTES);
    visit(numbers[start]!, checksums.subarray(start, end), run);
    start = end;
  }
}

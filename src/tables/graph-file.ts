/**
 * The graph file: the pages of a graph image. Append-only: a checkpoint adds the pages that have changed since the one
 * before, and the image's header; of several with one number the last counts, and one that has never been stored is
 * all zeros. After the file's header come, for each checkpoint:
 *
 *  - pages blocks: for each page, u32 its number and u32 the CRC32C of its bytes. The pages themselves follow behind
 *    the block, PAGE_BYTES each;
 *  - an image block: the header of the image. What the manifest counts of the file ends with one.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_KINDS,
  type BlockHeader,
  checkBlock,
  corruptBlock,
  decodeBlockHeader,
} from './block.ts';
import { DATA_HEADER_BYTES } from './data-header.ts';
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

/** Receives pages that follow each other, up to RUN_PAGES_MAX. */
export type PagesVisitor = (firstNumber: number, checksums: readonly number[], bytes: Uint8Array) => void;

/** 64 KiB. */
const RUN_PAGES_MAX = 128;

/** Reads a graph file as far as it counts. */
export class GraphFileReader {
  readonly #file: string;
  readonly #read: (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;
  readonly #bytes: number;

  /** @param bytes of the file that count */
  constructor(
    file: string,
    bytes: number,
    read: (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>,
  ) {
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
  async pages(visit: PagesVisitor): Promise<void> {
    for (let offset = DATA_HEADER_BYTES; offset < this.#bytes; ) {
      const head = decodeBlockHeader(await this.#read(offset, BLOCK_HEADER_BYTES), this.#file);
      const end = this.#endOf(head, offset);
      const bytes = await this.#read(offset, end - offset);
      const payload = checkBlock(head, bytes, this.#file, offset);
      if (head.kind === BLOCK_KINDS.pages) this.#visit(payload, bytes, offset, visit);
      offset = end;
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

  #visit(entries: Uint8Array, bytes: Uint8Array<ArrayBuffer>, offset: number, visit: PagesVisitor): void {
    const table = new ByteReader(entries, this.#file);
    const pagesAt = BLOCK_HEADER_BYTES + entries.length;
    const count = entries.length / TABLE_ENTRY_BYTES;
    const numbers: number[] = [];
    const checksums: number[] = [];
    for (let index = 0; index < count; index++) {
      numbers.push(table.u32());
      checksums.push(table.u32());
      const at = pagesAt + index * PAGE_BYTES;
      if (crc32c(bytes.subarray(at, at + PAGE_BYTES)) !== checksums[index])
        throw corruptBlock(this.#file, offset, `has a damaged page at byte ${offset + at}`);
    }
    for (let start = 0; start < count; ) {
      let end = start + 1;
      while (end < count && end - start < RUN_PAGES_MAX && numbers[end] === numbers[end - 1]! + 1) end++;
      const run = bytes.subarray(pagesAt + start * PAGE_BYTES, pagesAt + end * PAGE_BYTES);
      visit(numbers[start]!, checksums.slice(start, end), run);
      start = end;
    }
  }
}

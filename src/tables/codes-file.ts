/**
 * The codes file of a quantised collection: after the header, blocks whose payload is the codes of consecutive rows,
 * end to end, as the kernel has them. Derived from the vectors: it spares reading and encoding them anew on opening.
 */
import { BLOCK_HEADER_BYTES, BLOCK_KINDS, checkBlock, corruptBlock, decodeBlockHeader } from './block.ts';
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

/** Reads one block after another: codes of consecutive rows from 0 on. @throws IsovecError CORRUPTION */
export class CodesReader {
  readonly #read: (offset: number, length: number) => Promise<Uint8Array>;
  readonly #file: string;
  readonly #codeBytes: number;
  #offset: number;
  #row = 0;

  /** @param offset of the first block in the file */
  constructor(
    file: string,
    read: (offset: number, length: number) => Promise<Uint8Array>,
    codeBytes: number,
    offset: number,
  ) {
    this.#file = file;
    this.#read = read;
    this.#codeBytes = codeBytes;
    this.#offset = offset;
  }

  /** @returns the codes of the next rows, end to end */
  async next(): Promise<Uint8Array> {
    const offset = this.#offset;
    const head = await this.#read(offset, BLOCK_HEADER_BYTES);
    const header = decodeBlockHeader(head, this.#file);
    const { kind, firstRow, rowCount, payloadBytes } = header;
    if (
      kind !== BLOCK_KINDS.codes ||
      firstRow !== this.#row ||
      rowCount === 0 ||
      payloadBytes !== rowCount * this.#codeBytes
    )
      throw corruptBlock(this.#file, offset, `does not hold the codes from row ${this.#row} on`);
    const block = await this.#read(offset, BLOCK_HEADER_BYTES + payloadBytes);
    const payload = checkBlock(header, block, this.#file, offset);
    this.#offset += BLOCK_HEADER_BYTES + payloadBytes;
    this.#row += rowCount;
    return payload;
  }
}

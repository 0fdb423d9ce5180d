import { encodeBlock } from '../tables/write-block.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { encodePostings, type Postings } from './postings.ts';
import { encodeFooter, type SegmentRows } from './segment-format.ts';

/** What is read and checked at once for one term: those of few rows come with their neighbours. */
const POSTINGS_BLOCK_BYTES = 4096;
/** To find a term, half of those of a block are looked through. */
const TERMS_PER_BLOCK_MAX = 64;

/** Writes the file of a segment, as segment-format.ts has it, behind its header. */
export class SegmentWriter {
  readonly #rows: SegmentRows;
  readonly #write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  readonly #encoder = new TextEncoder();
  /** Of the block that is being filled. */
  readonly #postings = new ByteBuffer();
  #termCount = 0;
  #termsStart = 0;
  #lastTerm: Uint8Array = new Uint8Array();
  /** Of all blocks. */
  readonly #terms = new ByteBuffer();
  readonly #table = new ByteBuffer();
  #blockCount = 0;

  constructor(rows: SegmentRows, write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) {
    this.#rows = rows;
    this.#write = write;
  }

  /** @param term behind all those before, in the order of UTF-16 units @param postings not empty, ascending */
  add(term: string, postings: Postings): Promise<void> | undefined {
    const bytes = this.#encoder.encode(term);
    const shared = this.#termCount === 0 ? 0 : sharedLength(this.#lastTerm, bytes);
    const postingsStart = this.#postings.length;
    encodePostings(postings, this.#rows.firstRow, this.#postings);
    this.#terms.varint(shared);
    this.#terms.varint(bytes.length - shared);
    this.#terms.raw(bytes.subarray(shared));
    this.#terms.varint(postings.count);
    this.#terms.varint(this.#postings.length - postingsStart);
    this.#lastTerm = bytes;
    this.#termCount++;
    const isFull = this.#termCount === TERMS_PER_BLOCK_MAX || this.#postings.length >= POSTINGS_BLOCK_BYTES;
    return isFull ? this.#endBlock() : undefined;
  }

  /** @param lengths of the text of each row, in terms */
  async finish(lengths: Uint32Array): Promise<void> {
    if (this.#termCount > 0) await this.#endBlock();
    const directory = new ByteBuffer();
    directory.varint(this.#blockCount);
    directory.raw(this.#table.bytes());
    directory.raw(this.#terms.bytes());
    const lengthBytes = new ByteBuffer();
    for (const length of lengths) lengthBytes.varint(length);
    const terms = this.#block('terms', directory.bytes());
    const all = this.#block('lengths', lengthBytes.bytes());
    await this.#write(terms);
    await this.#write(all);
    await this.#write(this.#block('segment', encodeFooter(terms.length, all.length)));
  }

  async #endBlock(): Promise<void> {
    const block = this.#block('postings', this.#postings.bytes());
    this.#table.varint(this.#termCount);
    this.#table.varint(this.#terms.length - this.#termsStart);
    this.#table.varint(block.length);
    this.#blockCount++;
    this.#termCount = 0;
    this.#termsStart = this.#terms.length;
    this.#postings.clear();
    await this.#write(block);
  }

  #block(kind: 'postings' | 'terms' | 'lengths' | 'segment', payload: Uint8Array): Uint8Array<ArrayBuffer> {
    return encodeBlock(kind, this.#rows.firstRow, this.#rows.rowCount, payload);
  }
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < most && a[shared] === b[shared]) shared++;
  return shared;
}

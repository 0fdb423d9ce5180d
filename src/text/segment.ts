import { corruptBlock } from '../tables/block.ts';
import { DATA_HEADER_BYTES } from '../tables/data-header.ts';
import { VarintReader } from './byte-buffer.ts';
import { decodePostings, type Postings } from './postings.ts';
import {
  decodeFooter,
  FOOTER_BYTES,
  readBlock,
  type SegmentRows,
  type SegmentSource,
} from './segment-format.ts';

/** Where the postings of a term are. */
export interface SegmentTerm {
  block: number;
  /** In the block's payload. */
  at: number;
  bytes: number;
  /** Rows that have it, dead ones included. */
  count: number;
}

interface PostingsBlock {
  /** Where its terms begin in the terms block. */
  termsAt: number;
  termCount: number;
  first: string;
  /** In the file. */
  offset: number;
  bytes: number;
}

/** A segment whose terms are in memory, as bytes; postings are read as they are wanted. */
export class Segment {
  readonly firstRow: number;
  readonly endRow: number;
  readonly #lengthsAt: number;
  readonly #lengthsBytes: number;
  readonly source: SegmentSource;
  /** From where `#blocks` say. */
  readonly #terms: Uint8Array;
  readonly #blocks: PostingsBlock[];

  /** @throws IsovecError CORRUPTION */
  static async open(source: SegmentSource, rows: SegmentRows): Promise<Segment> {
    const footerAt = source.bytes - FOOTER_BYTES;
    if (footerAt < DATA_HEADER_BYTES) throw corruptBlock(source.name, 0, 'is missing: the file is too short');
    const footer = await readBlock(source, 'segment', footerAt, FOOTER_BYTES, rows);
    const { termsBytes, lengthsBytes } = decodeFooter(footer, source.name);
    const lengthsAt = footerAt - lengthsBytes;
    const termsAt = lengthsAt - termsBytes;
    if (termsAt < DATA_HEADER_BYTES) throw corruptBlock(source.name, footerAt, 'names too long blocks');
    const terms = await readBlock(source, 'terms', termsAt, termsBytes, rows);
    return new Segment(source, rows, terms, { lengthsAt, lengthsBytes });
  }

  private constructor(
    source: SegmentSource,
    rows: SegmentRows,
    terms: Uint8Array,
    { lengthsAt, lengthsBytes }: { lengthsAt: number; lengthsBytes: number },
  ) {
    this.source = source;
    this.firstRow = rows.firstRow;
    this.endRow = rows.firstRow + rows.rowCount;
    this.#terms = terms;
    this.#lengthsAt = lengthsAt;
    this.#lengthsBytes = lengthsBytes;
    this.#blocks = readTable(terms);
  }

  get memoryBytes(): number {
    return this.#terms.length + this.#blocks.length * BLOCK_OBJECT_BYTES;
  }

  get rows(): SegmentRows {
    return { firstRow: this.firstRow, rowCount: this.endRow - this.firstRow };
  }

  get blockCount(): number {
    return this.#blocks.length;
  }

  find(term: string): SegmentTerm | undefined {
    const number = this.#blockOf(term);
    let found: SegmentTerm | undefined;
    if (number >= 0)
      this.#visitBlock(number, (each, at) => {
        if (each === term) found = at;
        return each < term;
      });
    return found;
  }

  /** The blocks that have all terms that begin so: from the first to before the second. */
  blocksOf(prefix: string): [first: number, end: number] {
    const first = Math.max(0, this.#blockOf(prefix));
    let end = Math.min(first + 1, this.#blocks.length);
    while (end < this.#blocks.length && this.#blocks[end]!.first.startsWith(prefix)) end++;
    return [first, end];
  }

  /** The terms of one block, in order. */
  visitTerms(block: number, visit: (term: string) => void): void {
    this.#visitBlock(block, (term) => {
      visit(term);
      return true;
    });
  }

  /** The terms of one block, in order, and where their postings are. */
  termsOf(block: number): { term: string; at: SegmentTerm }[] {
    const terms: { term: string; at: SegmentTerm }[] = [];
    this.#visitBlock(block, (term, at) => {
      terms.push({ term, at });
      return true;
    });
    return terms;
  }

  /** Of the text of each row, in terms. @throws IsovecError CORRUPTION */
  async readLengths(): Promise<Uint32Array> {
    const bytes = await readBlock(this.source, 'lengths', this.#lengthsAt, this.#lengthsBytes, this.rows);
    const reader = new VarintReader(bytes);
    return Uint32Array.from({ length: this.endRow - this.firstRow }, () => reader.next());
  }

  /** What `readPostings` reads of. @throws IsovecError CORRUPTION */
  async readBlock(block: number): Promise<Uint8Array> {
    const { offset, bytes } = this.#blocks[block]!;
    return readBlock(this.source, 'postings', offset, bytes, this.rows);
  }

  blockBytes(block: number): number {
    return this.#blocks[block]!.bytes;
  }

  /** @param payload of the term's block @throws IsovecError CORRUPTION */
  readPostings({ at, bytes, count }: SegmentTerm, payload: Uint8Array, into: Postings): void {
    decodePostings(payload.subarray(at, at + bytes), this.firstRow, this.endRow, count, into);
  }

  /** The block that has the term, if any has; -1 if it would be before all. */
  #blockOf(term: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]!.first <= term) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** For as long as `visit` returns true. */
  #visitBlock(number: number, visit: (term: string, at: SegmentTerm) => boolean): void {
    const { termsAt, termCount } = this.#blocks[number]!;
    const reader = new VarintReader(this.#terms, termsAt);
    const bytes = new TermBytes();
    let at = 0;
    for (let index = 0; index < termCount; index++) {
      bytes.read(this.#terms, reader);
      const count = reader.next();
      const length = reader.next();
      if (!visit(bytes.text(), { block: number, at, bytes: length, count })) return;
      at += length;
    }
  }
}

const decoder = /* @__PURE__ */ new TextDecoder();

/** One term after another, each as what differs from the one before. */
class TermBytes {
  #bytes = new Uint8Array(256);
  #length = 0;

  read(terms: Uint8Array, reader: VarintReader): void {
    const shared = reader.next();
    const more = reader.next();
    this.#length = shared + more;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(this.#length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    for (let at = shared; at < this.#length; at++) this.#bytes[at] = terms[reader.at++]!;
  }

  text(): string {
    let text = '';
    for (let at = 0; at < this.#length; at++) {
      const byte = this.#bytes[at]!;
      if (byte >= 0x80) return decoder.decode(this.#bytes.subarray(0, this.#length));
      text += String.fromCharCode(byte);
    }
    return text;
  }
}

/** Of the objects that tell of a block, in V8. */
const BLOCK_OBJECT_BYTES = 120;

function readTable(terms: Uint8Array): PostingsBlock[] {
  const reader = new VarintReader(terms);
  const count = reader.next();
  const entries = Array.from({ length: count }, () => ({
    termCount: reader.next(),
    termsBytes: reader.next(),
    bytes: reader.next(),
  }));
  let termsAt = reader.at;
  let offset = DATA_HEADER_BYTES;
  return entries.map(({ termCount, termsBytes, bytes }) => {
    const first = new TermBytes();
    first.read(terms, new VarintReader(terms, termsAt));
    const entry = { termsAt, termCount, first: first.text(), offset, bytes };
    termsAt += termsBytes;
    offset += bytes;
    return entry;
  });
}

/** What a collection's rows and records files say, as far as they are intact; each stands in for the other. */
import { ReadWindow } from '../../storage/read-window.ts';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_KINDS,
  type Block,
  type BlockHeader,
  decodeBlockHeader,
  isBlockIntact,
} from '../../tables/block.ts';
import { DATA_HEADER_BYTES } from '../../tables/data-header.ts';
import { entryInBlock, type RecordEntry } from '../../tables/record-entry.ts';
import { salvageEntries } from '../../tables/records-file.ts';
import { decodeIds, type RecordExtent, type RowsFileContent, takeRowsBlock } from '../../tables/rows-file.ts';
import { decodeDeaths } from '../../tables/write-block.ts';
import { decodeMetadata } from '../body.ts';
import type { Finding, Findings } from './findings.ts';
import { isDamage, type SurveyedFile } from './survey-file.ts';

/** By row; nothing where neither file says. */
export class KnownRows {
  readonly ids: (Uint8Array | undefined)[] = [];
  readonly positions: number[] = [];
  readonly dead = new Set<number>();
  readonly rowCount: number;

  constructor(rowCount: number) {
    this.rowCount = rowCount;
  }

  /** @returns false if something else is known already */
  learn(row: number, id: Uint8Array, position: number): boolean {
    const known = this.ids[row];
    if (known) return this.positions[row] === position && areEqual(known, id);
    this.ids[row] = id.slice();
    this.positions[row] = position;
    return true;
  }
}

/** @returns where its intact blocks say that records lie */
export async function surveyRowsFile(
  { file, bytes }: SurveyedFile,
  rows: KnownRows,
  findings: Findings,
): Promise<RecordExtent[]> {
  const content: RowsFileContent = { ids: [], extents: [], deaths: [] };
  const { name } = file;
  const whole = await file.read(0, bytes);
  for (let offset = DATA_HEADER_BYTES; offset < bytes; ) {
    const block = intactBlock(whole.subarray(offset), offset);
    if (block) {
      attempt(findings, name, offset, () => takeRowsBlock(block, content, name));
      offset += BLOCK_HEADER_BYTES + block.payload.length;
      continue;
    }
    findings.add(name, 'checksum', 'a damaged block', offset);
    const end = statedEnd(whole.subarray(offset));
    if (end === undefined || !intactBlock(whole.subarray(offset + end), offset + end)) break;
    offset += end;
  }
  for (const row of content.deaths) rows.dead.add(row);
  for (const block of content.ids) {
    let row = block.firstRow;
    const learn = (id: Uint8Array, position: number) => {
      if (row >= rows.rowCount || !rows.learn(row, id, position))
        findings.add(name, 'reference', `names row ${row} twice, or too many rows,`, block.offset);
      row++;
    };
    attempt(findings, name, block.offset, () => decodeIds(block, name, learn));
  }
  return content.extents;
}

export interface SurveyedRecords {
  /** Blocks that are intact as a whole. */
  extents: RecordExtent[];
  /** Bodies of entries that are intact in a damaged block, by row. */
  rescued: Map<number, Uint8Array>;
  /** Rows whose body is there and is JSON. */
  readable: Set<number>;
  findings: Finding[];
}

/** Walks the file from block to block; where one is damaged, the rows file says where the next begins. */
export class RecordsSurvey {
  readonly #window: ReadWindow;
  readonly #name: string;
  readonly #rows: KnownRows;
  readonly #findings: Findings;
  readonly #known: Map<number, RecordExtent>;
  readonly #offsets: number[];
  readonly #result: SurveyedRecords = { extents: [], rescued: new Map(), readable: new Set(), findings: [] };

  constructor({ file, bytes }: SurveyedFile, extents: RecordExtent[], rows: KnownRows, findings: Findings) {
    this.#window = new ReadWindow(file, bytes);
    this.#name = file.name;
    this.#rows = rows;
    this.#findings = findings;
    this.#known = new Map(extents.map((extent) => [extent.offset, extent]));
    this.#offsets = extents.map(({ offset }) => offset).sort((a, b) => a - b);
  }

  async run(): Promise<SurveyedRecords> {
    let offset: number | undefined = DATA_HEADER_BYTES;
    while (offset !== undefined && offset < this.#window.sizeBytes) offset = await this.#block(offset);
    return this.#result;
  }

  /** @returns where the next one begins */
  async #block(offset: number): Promise<number | undefined> {
    const block = await this.#intact(offset);
    if (!block) return this.#damaged(offset);
    const bytes = BLOCK_HEADER_BYTES + block.payload.length;
    attempt(this.#findings, this.#name, offset, () => this.#take(block, bytes));
    return offset + bytes;
  }

  #take(block: Block, bytes: number): void {
    const { kind, firstRow, rowCount, offset, payload } = block;
    if (kind === BLOCK_KINDS.deaths) {
      for (const row of decodeDeaths(block, this.#name)) this.#rows.dead.add(row);
      return;
    }
    if (kind !== BLOCK_KINDS.records || firstRow + rowCount > this.#rows.rowCount) {
      this.#findings.add(this.#name, 'format', 'a block that does not belong here', offset);
      return;
    }
    this.#result.extents.push({ firstRow, rowCount, offset, bytes });
    for (let index = 0; index < rowCount; index++)
      this.#learn(firstRow + index, entryInBlock(payload, rowCount, index, this.#name), offset);
  }

  #learn(row: number, entry: RecordEntry, offset: number): void {
    if (!this.#rows.learn(row, entry.id, entry.position))
      this.#findings.add(
        this.#name,
        'reference',
        `row ${row} has another id or position than in the rows file`,
        offset,
      );
    if (entry.body.length === 0) return;
    try {
      decodeMetadata(entry.body);
      this.#result.readable.add(row);
    } catch {
      const problem = this.#findings.add(
        this.#name,
        'format',
        `the metadata of row ${row} is not JSON`,
        offset,
      );
      this.#result.findings.push({ problem, rows: [row] });
    }
  }

  async #damaged(offset: number): Promise<number | undefined> {
    const problem = this.#findings.add(this.#name, 'checksum', 'a damaged block', offset);
    const head = await this.#window.bytes(
      offset,
      Math.min(BLOCK_HEADER_BYTES, this.#window.sizeBytes - offset),
    );
    const extent = this.#known.get(offset) ?? this.#stated(head!, offset);
    if (extent) await this.#rescue(extent, problem);
    const next = this.#offsets.find((each) => each > offset);
    const end = head && statedEnd(head);
    if (
      end !== undefined &&
      (next === undefined || offset + end < next) &&
      (await this.#intact(offset + end))
    )
      return offset + end;
    return next;
  }

  async #rescue(
    { firstRow, rowCount, offset, bytes }: RecordExtent,
    problem: Finding['problem'],
  ): Promise<void> {
    const rows = Array.from({ length: rowCount }, (_, index) => firstRow + index);
    this.#result.findings.push({ problem, rows });
    const there = Math.min(bytes, this.#window.sizeBytes - offset);
    if (there <= BLOCK_HEADER_BYTES) return;
    const payload = (await this.#window.bytes(offset, there))!.slice(BLOCK_HEADER_BYTES);
    for (const [index, entry] of salvageEntries(payload, firstRow, rowCount).entries()) {
      if (!entry) continue;
      this.#learn(firstRow + index, entry, offset);
      this.#result.rescued.set(firstRow + index, entry.body);
    }
  }

  /** What a damaged block says of itself, if it can be so; what it leads to is checked entry by entry. */
  #stated(head: Uint8Array, offset: number): RecordExtent | undefined {
    if (head.length < BLOCK_HEADER_BYTES) return undefined;
    const { kind, firstRow, rowCount, payloadBytes } = decodeBlockHeader(head, this.#name);
    if (kind !== BLOCK_KINDS.records || firstRow + rowCount > this.#rows.rowCount) return undefined;
    return { firstRow, rowCount, offset, bytes: BLOCK_HEADER_BYTES + payloadBytes };
  }

  async #intact(offset: number): Promise<Block | undefined> {
    const head = await this.#window.bytes(offset, BLOCK_HEADER_BYTES);
    const end = head && statedEnd(head);
    const whole = end !== undefined && (await this.#window.bytes(offset, end));
    return whole ? intactBlock(whole, offset) : undefined;
  }
}

/** @returns how long the block says it is, header included */
function statedEnd(bytes: Uint8Array): number | undefined {
  if (bytes.length < BLOCK_HEADER_BYTES) return undefined;
  return BLOCK_HEADER_BYTES + decodeBlockHeader(bytes, 'block').payloadBytes;
}

function intactBlock(bytes: Uint8Array, offset: number): Block | undefined {
  if (bytes.length < BLOCK_HEADER_BYTES) return undefined;
  const header: BlockHeader = decodeBlockHeader(bytes, 'block');
  if (!isBlockIntact(header, bytes)) return undefined;
  return {
    ...header,
    offset,
    payload: bytes.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + header.payloadBytes),
  };
}

/** A block that matches its checksum may still say what cannot be: by a mistake, or on purpose. */
function attempt(findings: Findings, file: string, offset: number, take: () => void): void {
  try {
    take();
  } catch (error) {
    if (!isDamage(error)) throw error;
    findings.add(file, 'format', error.message, offset);
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

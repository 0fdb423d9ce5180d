/** One collection's files read as far as they can be, and against each other. */
import { IsovecError } from '../../base/errors.ts';
import type { LiveFile } from '../../journal/manifest.ts';
import type { VectorIndex } from '../../search/vector-index.ts';
import type { StorageBackend } from '../../storage/storage.ts';
import { NO_ROW } from '../../tables/id-hash.ts';
import { RowTable } from '../../tables/row-table.ts';
import type { RecordExtent } from '../../tables/rows-file.ts';
import { salvageVectors, vectorOffset, vectorStrideBytes } from '../../tables/vectors-file.ts';
import { readCodes } from '../codes.ts';
import type { ResolvedConfig } from '../config.ts';
import { readGraph } from '../graph-pages.ts';
import type { StoredCodes, StoredCollection, StoredPayload, StoredSegment } from '../manifest-state.ts';
import { readPayload } from '../payload.ts';
import type { Finding, Findings } from './findings.ts';
import { isDamage, type SurveyedFile, surveyFile } from './survey-file.ts';
import { KnownRows, RecordsSurvey, type SurveyedRecords, surveyRowsFile } from './survey-rows.ts';

/** Vectors read and checked before others have a turn: a few milliseconds. */
const PIECE_BYTES = 1024 * 1024;
/** Rows looked at before others have a turn: a few milliseconds. */
const ROWS_PER_TURN = 4096;
/** A graph image is checked link by link in a kernel of its own, vectors' memory included, up to this size. */
const GRAPH_CHECKED_BYTES_MAX = 256 * 1024 * 1024;

export interface CollectionSurvey {
  stored: StoredCollection;
  /** As stored, but rows of which a part is lost are dead. */
  rows: RowTable;
  /** Record blocks that can be read. */
  extents: RecordExtent[];
  /** Metadata of single records in blocks that cannot, by row. */
  rescued: Map<number, Uint8Array>;
  /** Live rows that have lost something. One of which not even the id is known has an empty one. */
  lostRows: number[];
  /** Is any of its files damaged? */
  isDamaged: boolean;
}

export interface SurveyParts {
  storage: StorageBackend;
  files: Readonly<Record<string, LiveFile>>;
  createIndex: (config: ResolvedConfig) => Promise<VectorIndex>;
  findings: Findings;
  /** Lets others have a turn. */
  pause: () => Promise<void>;
}

export async function surveyCollection(
  parts: SurveyParts,
  stored: StoredCollection,
): Promise<CollectionSurvey> {
  const problemsBefore = parts.findings.problems.length;
  const survey = new Survey(parts, stored);
  const { rowCount, codes, graph, text, payload } = stored;
  if (rowCount > 0) await survey.readFiles();
  if (codes) await survey.readCodes(codes);
  if (graph !== undefined) await survey.readGraph(graph);
  if (text) await survey.readText(text);
  if (payload) await survey.readPayload(payload);
  return { ...(await survey.conclude()), isDamaged: parts.findings.problems.length > problemsBefore };
}

class Survey {
  readonly #parts: SurveyParts;
  readonly #stored: StoredCollection;
  readonly #known: KnownRows;
  readonly #badVectors = new Set<number>();
  #records: SurveyedRecords = { extents: [], rescued: new Map(), readable: new Set(), findings: [] };
  readonly #vectorFindings: Finding[] = [];

  constructor(parts: SurveyParts, stored: StoredCollection) {
    this.#parts = parts;
    this.#stored = stored;
    this.#known = new KnownRows(stored.rowCount);
  }

  async readFiles(): Promise<void> {
    const { findings } = this.#parts;
    let extents: RecordExtent[] = [];
    await this.#file('rows', async (rowsFile) => {
      extents = await surveyRowsFile(rowsFile, this.#known, findings);
    });
    await this.#file('records', async (recordsFile) => {
      this.#records = await new RecordsSurvey(recordsFile, extents, this.#known, findings).run();
    });
    for (let row = 0; row < this.#stored.rowCount; row++) this.#badVectors.add(row);
    await this.#file('vectors', (vectorsFile) => this.#readVectors(vectorsFile));
    this.#compareExtents(extents);
  }

  async readGraph(name: string): Promise<void> {
    const { storage, files, findings, createIndex } = this.#parts;
    const { config, rowCount } = this.#stored;
    await surveyFile(storage, name, 'graph', files[name], findings, async ({ file, bytes }) => {
      if (bytes < files[name]!.bytes) return;
      try {
        if (bytes + rowCount * config.dimensions * 4 > GRAPH_CHECKED_BYTES_MAX) return;
        const index = await createIndex(config);
        await readGraph(file, bytes, index);
        for (let row = rowCount; row < rowCount + index.count; row++)
          if (index.has(row)) findings.add(name, 'reference', `links row ${row}, which is not stored`);
      } catch (error) {
        if (isDamage(error)) findings.add(name, 'checksum', error.message);
        else if (!(error instanceof IsovecError) || error.code !== 'QUOTA_EXCEEDED') throw error;
      }
    });
  }

  readCodes(codes: StoredCodes): Promise<void> {
    const { createIndex } = this.#parts;
    return this.#readDerived(codes, 'codes', 'codes', async ({ file, bytes }) => {
      await readCodes(file, bytes, codes, await createIndex(this.#stored.config), () => {});
    });
  }

  async readText(segments: readonly StoredSegment[]): Promise<void> {
    const { storage, files, findings, pause } = this.#parts;
    const { checkSegment } = await import('../text/on-demand.ts');
    let row = 0;
    for (const stored of segments) {
      const { file: name, firstRow, rowCount } = stored;
      const live = files[name];
      if (firstRow !== row || firstRow + rowCount > this.#stored.rowCount || stored.bytes !== live?.bytes)
        findings.add(name, 'reference', `is not the segment from row ${row} on`);
      row = firstRow + rowCount;
      await surveyFile(storage, name, 'text', live, findings, async ({ file, bytes }) => {
        if (bytes < stored.bytes) return;
        await this.#tellDamage(name, () => checkSegment(file, stored, pause));
      });
    }
  }

  readPayload(payload: StoredPayload): Promise<void> {
    return this.#readDerived(payload, 'payload', 'the payload', async ({ file }) => {
      await readPayload(file, payload);
    });
  }

  /** @param what of rows is in the file, for problems */
  async #readDerived(
    { file: name, rowCount }: { file: string; rowCount: number },
    kind: 'codes' | 'payload',
    what: string,
    read: (surveyed: SurveyedFile) => Promise<void>,
  ): Promise<void> {
    const { storage, files, findings } = this.#parts;
    const { rowCount: storedCount } = this.#stored;
    const live = files[name];
    await surveyFile(storage, name, kind, live, findings, async ({ file, bytes }) => {
      if (rowCount > storedCount)
        findings.add(name, 'reference', `has ${what} of ${rowCount} rows where ${storedCount} are stored`);
      if (bytes < live!.bytes) return;
      await this.#tellDamage(name, () => read({ file, bytes }));
    });
  }

  async #tellDamage(name: string, read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#parts.findings.add(name, 'checksum', error.message);
    }
  }

  async conclude(): Promise<Omit<CollectionSurvey, 'isDamaged'>> {
    const { rowCount, files } = this.#stored;
    const { findings } = this.#parts;
    const rows = new RowTable();
    const lostRows: number[] = [];
    for (let row = 0; row < rowCount; row++) {
      if (row % ROWS_PER_TURN === 0) await this.#parts.pause();
      const isDead = this.#known.dead.has(row);
      const isLost = !isDead && !this.#isWhole(row);
      if (isLost) lostRows.push(row);
      this.#restore(rows, row, isDead || isLost);
    }
    const deadCount = [...this.#known.dead].filter((row) => row < rowCount).length;
    if (deadCount !== this.#stored.deadCount || deadCount !== this.#known.dead.size)
      findings.add(
        files.rows,
        'reference',
        `${this.#known.dead.size} rows are dead where the manifest counts ${this.#stored.deadCount}`,
      );
    this.#nameLost(rows, new Set(lostRows));
    const { extents, rescued } = this.#records;
    extents.sort((a, b) => a.firstRow - b.firstRow);
    return { stored: this.#stored, rows, extents, rescued, lostRows };
  }

  #file(kind: 'rows' | 'records' | 'vectors', read: (file: SurveyedFile) => Promise<void>): Promise<void> {
    const { storage, files, findings } = this.#parts;
    const name = this.#stored.files[kind];
    return surveyFile(storage, name, kind, files[name], findings, read);
  }

  async #readVectors({ file, bytes }: SurveyedFile): Promise<void> {
    const { config, rowCount } = this.#stored;
    const stride = vectorStrideBytes(config.dimensions);
    const start = vectorOffset(0, config.dimensions);
    const rowsThere = Math.max(0, Math.min(rowCount, Math.floor((bytes - start) / stride)));
    const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / stride));
    for (let firstRow = 0; firstRow < rowsThere; firstRow += rowsPerPiece) {
      const count = Math.min(rowsPerPiece, rowsThere - firstRow);
      const piece = await file.read(vectorOffset(firstRow, config.dimensions), count * stride);
      await this.#parts.pause();
      const bad: number[] = [];
      for (const [index, vector] of salvageVectors(piece, config.dimensions).entries())
        if (vector) this.#badVectors.delete(firstRow + index);
        else bad.push(firstRow + index);
      if (bad.length === 0) continue;
      const offset = vectorOffset(bad[0]!, config.dimensions);
      const problem = this.#parts.findings.add(
        file.name,
        'checksum',
        `${bad.length} damaged vectors from row ${bad[0]}`,
        offset,
      );
      this.#vectorFindings.push({ problem, rows: bad });
    }
  }

  /** The rows file leads to the records: does it lead to all of them? */
  #compareExtents(stated: readonly RecordExtent[]): void {
    const { findings } = this.#parts;
    const { files, rowCount } = this.#stored;
    if (findings.has(files.rows) || findings.has(files.records)) return;
    const of = (extents: readonly RecordExtent[]) =>
      extents
        .map(({ firstRow, rowCount: count, offset, bytes }) => [firstRow, count, offset, bytes].join())
        .join(';');
    const found = this.#records.extents;
    if (of(stated) !== of(found))
      findings.add(files.rows, 'reference', 'names other blocks than the records file has');
    let row = 0;
    for (const { firstRow, rowCount: count } of found) row = firstRow === row ? row + count : Number.NaN;
    if (row !== rowCount)
      findings.add(files.records, 'reference', `holds other rows than 0 to ${rowCount - 1}`);
  }

  #isWhole(row: number): boolean {
    const { ids } = this.#known;
    return ids[row] !== undefined && this.#records.readable.has(row) && !this.#badVectors.has(row);
  }

  #restore(rows: RowTable, row: number, isDead: boolean): void {
    const id = this.#known.ids[row] ?? new Uint8Array();
    const position = this.#known.positions[row] ?? row;
    const { findings } = this.#parts;
    if (position > row)
      findings.add(this.#stored.files.rows, 'reference', `row ${row} has position ${position}`);
    const before = isDead ? NO_ROW : rows.find(id);
    if (before !== NO_ROW) {
      // The later row is the newer: which rows are dead is not wholly known.
      rows.delete(id);
      findings.add(
        this.#stored.files.rows,
        'reference',
        `rows ${before} and ${row} are live with the same id`,
      );
    }
    rows.restore(id, position, isDead);
  }

  /** Now that it is known which rows are lost, says of each problem which it has cost. */
  #nameLost(rows: RowTable, lost: ReadonlySet<number>): void {
    const { findings } = this.#parts;
    const { files } = this.#stored;
    const named = new Set<number>();
    const name = ({ problem, rows: concerned }: Finding) => {
      const ids = concerned.filter((row) => lost.has(row) && this.#known.ids[row]).map((row) => rows.id(row));
      for (const row of concerned) named.add(row);
      if (ids.length > 0) problem.ids = ids;
    };
    for (const finding of [...this.#records.findings, ...this.#vectorFindings]) name(finding);
    const rest = [...lost].filter((row) => !named.has(row));
    if (rest.length === 0) return;
    const withoutVector = rest.filter((row) => this.#badVectors.has(row));
    const withoutRecord = rest.filter((row) => !this.#badVectors.has(row));
    for (const [file, concerned] of [
      [files.vectors, withoutVector],
      [files.records, withoutRecord],
    ] as const) {
      if (concerned.length === 0) continue;
      const problem = findings.add(file, 'missing', `${concerned.length} records have lost a part`);
      name({ problem, rows: concerned });
    }
  }
}

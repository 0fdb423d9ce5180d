/** Opening a damaged database with everything that is intact. */
import type { Frame } from '../../journal/frame.ts';
import type { LogVisitor } from '../../journal/survey-log.ts';
import { surveyLog } from '../../journal/survey-log.ts';
import { NO_ROW } from '../../tables/id-hash.ts';
import { vectorStrideBytes } from '../../tables/vectors-file.ts';
import { CollectionState } from '../collection-state.ts';
import { resolveConfig } from '../config.ts';
import type { Engine } from '../engine.ts';
import { type ChangeOperation, decodeOperations, type Operation } from '../operations.ts';
import type { Salvaged } from '../salvaged.ts';
import { salvageOperations } from './salvage-operations.ts';
import type { CollectionSurvey } from './survey-collection.ts';
import type { DatabaseSurvey } from './survey-database.ts';
import { isDamage } from './survey-file.ts';

/** Vectors read at a time. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** Fills an engine that holds nothing yet with what a survey has found, and notes what is lost. */
export async function salvageInto(engine: Engine, survey: DatabaseSurvey): Promise<void> {
  const { manifest, collections, findings } = survey;
  const { nextCollectionId, receipts = [] } = manifest.state;
  engine.collections.nextCollectionId = nextCollectionId;
  engine.collections.receipts.restore(receipts);
  const { archive } = survey;
  const salvaged: Salvaged = {
    problems: findings.problems,
    lost: new Map(),
    damaged: new Set(),
    ...(archive && { archive }),
  };
  for (const each of collections) {
    if (each.isDamaged) salvaged.damaged.add(each.stored.id);
    for (const id of namedIds(each)) noteLost(salvaged, each.stored.name, id);
    engine.collections.set(each.stored.id, await salvageCollection(engine, each));
  }
  const log = new SalvagedLog(engine, salvaged, survey.isManifestLost ? 1 : nextCollectionId);
  await surveyLog(engine.storage, survey.logRange, log);
  forgetFound(engine, salvaged);
  engine.salvaged = salvaged;
  for (const { message } of salvaged.problems) engine.events.emit('warning', { code: 'CORRUPTION', message });
}

/** Ids of the rows that a survey found to be lost, as far as they are known. */
function namedIds({ rows, lostRows }: CollectionSurvey): string[] {
  return lostRows.map((row) => rows.id(row)).filter((id) => id !== '');
}

export function noteLost({ lost }: Salvaged, name: string, id: string): void {
  const ids = lost.get(name) ?? new Set();
  lost.set(name, ids.add(id));
}

async function salvageCollection(engine: Engine, survey: CollectionSurvey): Promise<CollectionState> {
  const { stored, rows, extents, rescued } = survey;
  const { id, name, config, epoch, files: names } = stored;
  const files = engine.createFiles(names, config, extents);
  files.rescue(rescued);
  const index = await engine.createIndex(config);
  index.reserve(rows.liveCount);
  const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / vectorStrideBytes(config.dimensions)));
  for (let first = 0; first < rows.rowCount; first += rowsPerPiece) {
    const end = Math.min(first + rowsPerPiece, rows.rowCount);
    const live = Array.from({ length: end - first }, (_, at) => first + at).filter((row) => rows.isLive(row));
    const vectors = await files.vectorsOf(live);
    for (const [at, row] of live.entries()) index.add(row, vectors[at]!);
  }
  return new CollectionState(id, name, config, epoch, { rows, files, index });
}

/** What became whole again, because the log has it, is not lost. */
function forgetFound(engine: Engine, { lost }: Salvaged): void {
  const encoder = new TextEncoder();
  for (const [name, ids] of lost) {
    const state = engine.collections.find(name);
    for (const id of ids) if (!state || state.rows.find(encoder.encode(id)) !== NO_ROW) ids.delete(id);
    if (ids.size === 0) lost.delete(name);
  }
}

/** Applies the log's entries as far as they are intact. */
class SalvagedLog implements LogVisitor {
  readonly #engine: Engine;
  readonly #salvaged: Salvaged;
  readonly #firstNewId: number;
  readonly #dropped = new Set<number>();

  /** @param firstNewId of collections that the manifest may not know of */
  constructor(engine: Engine, salvaged: Salvaged, firstNewId: number) {
    this.#engine = engine;
    this.#salvaged = salvaged;
    this.#firstNewId = firstNewId;
  }

  async frame({ payload }: Frame, file: string): Promise<void> {
    for (const operation of this.#decode(payload, file)) await this.#apply(operation, file);
  }

  async damage({ file }: { file: string }, bytes?: Uint8Array): Promise<void> {
    if (!bytes) return;
    const { operations, lost } = salvageOperations(bytes);
    for (const operation of operations) await this.#apply(operation, file);
    const decoder = new TextDecoder();
    for (const { collectionId, id } of lost) {
      const state = this.#engine.collections.get(collectionId);
      if (state) noteLost(this.#salvaged, state.name, decoder.decode(id));
    }
  }

  read(): void {}

  #decode(payload: Uint8Array, file: string): Operation[] {
    try {
      return decodeOperations(payload, file);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return [];
    }
  }

  async #apply(operation: Operation, file: string): Promise<void> {
    if (operation.kind !== 'receipt' && !(await this.#makeApplicable(operation, file))) return;
    await this.#engine.collections.applyAll([operation]);
    if (operation.kind === 'drop') this.#dropped.add(operation.collectionId);
    if (operation.kind === 'delete') this.#forget(operation.collectionId, operation.id);
  }

  /** What an operation stands on may be lost. */
  async #makeApplicable(operation: ChangeOperation, file: string): Promise<boolean> {
    const { collectionId } = operation;
    const { collections } = this.#engine;
    switch (operation.kind) {
      case 'create': {
        // Its files were there already.
        if (collections.has(collectionId)) return false;
        const older = this.#engine.collections.find(operation.name);
        if (older) this.#engine.collections.apply({ kind: 'drop', collectionId: older.id });
        return true;
      }
      case 'configure':
      case 'drop':
      case 'delete':
        return collections.has(collectionId);
      case 'put': {
        if (!collections.has(collectionId)) await this.#recreate(collectionId, operation.vector.length, file);
        return collections.get(collectionId)?.config.dimensions === operation.vector.length;
      }
    }
  }

  /** Its records are there, and where it was created is not. */
  async #recreate(collectionId: number, dimensions: number, file: string): Promise<void> {
    if (collectionId < this.#firstNewId || this.#dropped.has(collectionId)) return;
    const name = `recovered-${collectionId}`;
    const config = resolveConfig({ dimensions });
    await this.#engine.collections.applyAll([{ kind: 'create', collectionId, name, config }]);
    const message = `${file}: the name and the config of collection ${collectionId} are lost; it is "${name}" now`;
    this.#salvaged.problems.push({ file, kind: 'reference', message });
  }

  #forget(collectionId: number, id: Uint8Array): void {
    const name = this.#engine.collections.get(collectionId)?.name ?? '';
    this.#salvaged.lost.get(name)?.delete(new TextDecoder().decode(id));
  }
}

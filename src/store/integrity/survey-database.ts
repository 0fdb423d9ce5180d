/** A whole database read as far as it can be. Changes nothing. */
import type { IntegrityProblem } from '../../base/api.ts';
import type { ArchivedFile } from '../../journal/archive.ts';
import type { Manifest } from '../../journal/manifest.ts';
import { type LogRange, type LogVisitor, surveyLog } from '../../journal/survey-log.ts';
import { durableSequence, watermarkOf } from '../../journal/watermark.ts';
import type { VectorIndex } from '../../search/vector-index.ts';
import type { StorageBackend } from '../../storage/storage.ts';
import type { ResolvedConfig } from '../config.ts';
import type { DatabaseState } from '../manifest-state.ts';
import { decodeOperations, type Operation } from '../operations.ts';
import { Findings } from './findings.ts';
import { rebuildManifest } from './rebuild-manifest.ts';
import { salvageOperations } from './salvage-operations.ts';
import { surveyArchive } from './survey-archive.ts';
import { type CollectionSurvey, surveyCollection } from './survey-collection.ts';
import { isDamage } from './survey-file.ts';
import { surveyManifest } from './survey-manifest.ts';

export interface SurveyOptions {
  createIndex: (config: ResolvedConfig) => Promise<VectorIndex>;
  /** The last entry known to have been written to the log, if that is known. */
  lastSequence?: number;
  /** Is called as bytes are read; it may throw, to give up. */
  onProgress: (progress: { done: number; total: number }) => void;
  /** As it is known otherwise, should neither of the stored ones be readable. Left out: it is made of the files. */
  manifest?: Manifest<DatabaseState>;
  pause: () => Promise<void>;
}

export interface DatabaseSurvey {
  manifest: Manifest<DatabaseState>;
  collections: CollectionSurvey[];
  /** What was known of the log. */
  logRange: LogRange;
  /** The newest sequence that can have been given out. */
  lastSequence: number;
  /** Is any part of the log damaged? */
  isLogDamaged: boolean;
  /** Neither manifest can be read, so there may have been collections of which it says nothing. */
  isManifestLost: boolean;
  /** What the archive should name, where it is damaged. */
  archive?: ArchivedFile[];
  findings: Findings;
}

/** @returns undefined where there is no database @throws IsovecError FORMAT_VERSION */
export async function surveyDatabase(
  storage: StorageBackend,
  { createIndex, lastSequence, onProgress, pause, manifest: known }: SurveyOptions,
): Promise<DatabaseSurvey | undefined> {
  const findings = new Findings(await storage.usageBytes(), onProgress);
  let isManifestLost = false;
  const manifest = await surveyManifest(storage, findings, async () => {
    isManifestLost = known === undefined;
    return known ?? rebuildManifest({ storage, createIndex, findings, pause });
  });
  if (!manifest) return undefined;
  const { files, state, coveredSequence } = manifest;
  const collections: CollectionSurvey[] = [];
  for (const stored of state.collections)
    collections.push(await surveyCollection({ storage, files, createIndex, findings, pause }, stored));
  const before = findings.problems.length;
  const range: LogRange =
    lastSequence === undefined
      ? { coveredSequence, durable: durableSequence(watermarkOf(storage), manifest.generation) }
      : { coveredSequence, lastSequence };
  const newest = await surveyLog(storage, range, logVisitor(state, findings));
  const isLogDamaged = findings.problems.length > before;
  const archive = await surveyArchive(storage, findings, pause);
  return {
    manifest,
    collections,
    logRange: range,
    lastSequence: newest,
    isLogDamaged,
    isManifestLost,
    ...(archive && { archive }),
    findings,
  };
}

function logVisitor({ collections }: DatabaseState, findings: Findings): LogVisitor {
  const dimensions = new Map(collections.map(({ id, config }) => [id, config.dimensions]));
  return {
    frame({ payload, sequence }, file) {
      try {
        for (const operation of decodeOperations(payload, file)) checkReference(operation, sequence, file);
      } catch (error) {
        if (!isDamage(error)) throw error;
        findings.add(file, 'format', `entry ${sequence} cannot be decoded: ${error.message}`);
      }
    },
    damage(problem, bytes) {
      const ids = bytes ? lostIds(bytes) : [];
      findings.problems.push(ids.length > 0 ? { ...problem, ids } : problem);
    },
    read(bytes) {
      findings.filesChecked++;
      findings.read(bytes);
    },
  };

  function checkReference(operation: Operation, sequence: number, file: string): void {
    if (operation.kind === 'receipt') return;
    const { collectionId, kind } = operation;
    const known = dimensions.get(collectionId);
    if (kind === 'create') dimensions.set(collectionId, operation.config.dimensions);
    else if (known === undefined) return;
    else if (kind === 'drop') dimensions.delete(collectionId);
    else if (kind === 'put' && operation.vector.length !== known)
      findings.add(
        file,
        'reference',
        `entry ${sequence} has a vector of ${operation.vector.length} dimensions for a collection of ${known}`,
      );
  }
}

function lostIds(bytes: Uint8Array): NonNullable<IntegrityProblem['ids']> {
  const decoder = new TextDecoder();
  return salvageOperations(bytes).lost.map(({ id }) => decoder.decode(id));
}

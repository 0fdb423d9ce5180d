import { Journal, type JournalOptions } from '../../journal/journal.ts';
import { MANIFEST_COPY_NAME } from '../../journal/manifest.ts';
import type { StorageBackend } from '../../storage/storage.ts';
import type { ResolvedConfig } from '../config.ts';
import type { Engine } from '../engine.ts';
import type { Kernels } from '../kernels.ts';
import { makeIndex } from '../make-index.ts';
import type { DatabaseState } from '../manifest-state.ts';
import { salvageInto } from './salvage.ts';
import { type DatabaseSurvey, type SurveyOptions, surveyDatabase } from './survey-database.ts';

export interface SalvageParts extends Pick<SurveyOptions, 'onProgress' | 'pause'> {
  storage: StorageBackend;
  kernels: Kernels;
  journalOptions: JournalOptions;
  makeEngine: (journal: Journal<DatabaseState>) => Engine;
}

/** @returns undefined for what opens without: no damage, or only to what is derived, and is rebuilt anyway */
export async function openSalvaged(parts: SalvageParts): Promise<Engine | undefined> {
  const { storage, kernels, journalOptions, makeEngine, onProgress, pause } = parts;
  const createIndex = (config: ResolvedConfig) => makeIndex(kernels, config);
  const survey = await surveyDatabase(storage, { createIndex, onProgress, pause });
  if (!survey || !needsSalvaging(survey)) return undefined;
  const journal = Journal.salvaged(storage, survey.manifest, survey.lastSequence, journalOptions);
  const engine = makeEngine(journal);
  await salvageInto(engine, survey);
  return engine;
}

function needsSalvaging({ findings, manifest }: DatabaseSurvey): boolean {
  const derived = new Set(
    manifest.state.collections.flatMap(({ graph, codes, payload, text = [] }) => [
      graph,
      codes?.file,
      payload?.file,
      ...text.map(({ file }) => file),
    ]),
  );
  return findings.problems.some(({ file }) => file !== MANIFEST_COPY_NAME && !derived.has(file));
}

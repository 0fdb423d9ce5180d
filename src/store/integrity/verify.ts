import type { IntegrityReport } from '../../base/api.ts';
import { assert } from '../../base/errors.ts';
import { loadManifestCopy } from '../../journal/manifest-copy.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Engine } from '../engine.ts';
import type { Findings } from './findings.ts';
import { type DatabaseSurvey, surveyDatabase } from './survey-database.ts';

/** Another process may replace the files while they are read; then they are read again, so many times at most. */
const ATTEMPTS_MAX = 3;
/** Rows looked at before others have a turn: a few milliseconds. */
const ROWS_PER_TURN = 4096;

/** Maintenance must stand still meanwhile; readers and writers go on. As the public `verify`. */
export async function verify(engine: Engine, pause: () => Promise<void>): Promise<IntegrityReport> {
  for (let attempt = 1; ; attempt++) {
    const { generation } = engine.journal;
    const survey = await surveyEngine(engine, pause).catch(async (error) => {
      if (attempt === ATTEMPTS_MAX || !(await isSuperseded(engine, generation))) throw error;
    });
    if (!survey) continue;
    const { problems, filesChecked, bytesChecked } = survey.findings;
    if (
      problems.length > 0 &&
      attempt < ATTEMPTS_MAX &&
      (await isSuperseded(engine, survey.manifest.generation))
    )
      continue;
    await checkMemory(engine, survey, pause);
    return { ok: problems.length === 0, filesChecked, bytesChecked, problems };
  }
}

export async function surveyEngine(engine: Engine, pause: () => Promise<void>): Promise<DatabaseSurvey> {
  const { generation, coveredSequence, writtenAt, files, state } = engine.journal;
  const survey = await surveyDatabase(engine.storage, {
    createIndex: (config) => engine.createIndex(config),
    ...(engine.isWritable && { lastSequence: engine.journal.lastSequence }),
    onProgress: ({ done, total }) => engine.events.emit('progress', { phase: 'verify', done, total }),
    pause,
    manifest: { generation, coveredSequence, writtenAt, files, state },
  });
  assert(survey, 'a database that is open has a manifest');
  return survey;
}

async function isSuperseded({ storage }: Engine, generation: number): Promise<boolean> {
  const { manifest } = await loadManifestCopy(storage);
  return manifest !== undefined && manifest.generation > generation;
}

/** What is in memory against what is stored. */
async function checkMemory(
  engine: Engine,
  { manifest, collections, findings }: DatabaseSurvey,
  pause: () => Promise<void>,
): Promise<void> {
  if (!engine.isWritable || engine.journal.generation !== manifest.generation) return;
  for (const { stored, rows, isDamaged } of collections) {
    const state = engine.collections.get(stored.id);
    if (!state || state.epoch !== stored.epoch || isDamaged) continue;
    for (let row = 0; row < stored.rowCount; row++) {
      if (row % ROWS_PER_TURN === 0) await pause();
      if (state.rows.position(row) !== rows.position(row) || state.rows.id(row) !== rows.id(row))
        findings.add(stored.files.rows, 'reference', `row ${row} has another id or position in memory`);
      if (state.rows.isLive(row) && !rows.isLive(row))
        findings.add(stored.files.rows, 'reference', `row ${row} is dead, but live in memory`);
    }
    await checkIndex(state, findings, pause);
  }
}

async function checkIndex(
  state: CollectionState,
  findings: Findings,
  pause: () => Promise<void>,
): Promise<void> {
  const { rows, epoch, files } = state;
  for (let row = 0; row < rows.rowCount && state.epoch === epoch; row++) {
    if (row % ROWS_PER_TURN === 0) await pause();
    if (state.index.has(row) !== rows.isLive(row))
      findings.add(
        files.names.rows,
        'reference',
        `row ${row} is in the index and not live, or the other way round`,
      );
    else if (rows.isLive(row) && rows.find(rows.idBytes(row)) !== row)
      findings.add(files.names.rows, 'reference', `row ${row} is not found by its id`);
  }
}

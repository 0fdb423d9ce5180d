import type { Progress, RepairReport } from '../../base/api.ts';
import { IsovecError } from '../../base/errors.ts';
import {
  ARCHIVE_INDEX_NAME,
  type ArchivedFile,
  findArchived,
  replaceArchiveIndex,
} from '../../journal/archive.ts';
import { note, store } from '../checkpoint.ts';
import type { CollectionState } from '../collection-state.ts';
import { Rewriting } from '../compact.ts';
import type { Engine } from '../engine.ts';
import type { Salvaged } from '../salvaged.ts';
import { noteLost } from './salvage.ts';
import type { CollectionSurvey } from './survey-collection.ts';
import { surveyEngine } from './verify.ts';

/**
 * Writes what is readable to new files, and then a manifest that names them; up to there the damaged state is as it
 * was. Maintenance must stand still meanwhile, and writers wait. As the public `repair`.
 */
export async function repair(engine: Engine, pause: () => Promise<void>): Promise<RepairReport> {
  if (engine.readOnly)
    throw new IsovecError('READ_ONLY', 'the database was opened with readOnly, so it cannot be repaired');
  const run = async () => {
    const salvaged = engine.salvaged ?? (await examine(engine, pause));
    if (!salvaged) return { repaired: [], recordsRecovered: 0, recordsLost: [] };
    // The log is as it was, and goes on being archived, where nothing else is damaged.
    const isArchiveAlone = salvaged.problems.every(({ file }) => file.startsWith(ARCHIVE_INDEX_NAME));
    if (engine.salvaged || !isArchiveAlone) await rewrite(engine, salvaged);
    if (salvaged.archive) await mendArchive(engine, salvaged, salvaged.archive);
    await engine.archiving?.open();
    const recordsLost = [...salvaged.lost].map(([collection, ids]) => ({ collection, ids: [...ids] }));
    let recordsRecovered = 0;
    for (const { rows } of engine.collections.values()) recordsRecovered += rows.liveCount;
    return { repaired: salvaged.problems, recordsRecovered, recordsLost };
  };
  return engine.lease.during(() => engine.writing.run(run));
}

/** Of a database that was well when it was opened. @returns undefined if it still is */
async function examine(engine: Engine, pause: () => Promise<void>): Promise<Salvaged | undefined> {
  engine.checkWritable();
  await engine.journal.drain();
  const { findings, collections, archive } = await surveyEngine(engine, pause);
  if (findings.problems.length === 0) return undefined;
  const salvaged: Salvaged = {
    problems: findings.problems,
    lost: new Map(),
    damaged: new Set(),
    ...(archive && { archive }),
  };
  for (const survey of collections) {
    const state = engine.collections.get(survey.stored.id);
    if (!survey.isDamaged || !state) continue;
    salvaged.damaged.add(state.id);
    giveUpLost(state, survey, salvaged);
  }
  return salvaged;
}

/** What is in the log's tail is in memory, so only what the files alone had can be lost. */
function giveUpLost(state: CollectionState, survey: CollectionSurvey, salvaged: Salvaged): void {
  state.files.rescue(survey.rescued);
  for (const row of survey.lostRows) {
    if (!state.rows.isLive(row)) continue;
    noteLost(salvaged, state.name, state.rows.id(row));
    state.apply({ kind: 'delete', collectionId: state.id, id: state.rows.idBytes(row).slice() });
  }
}

async function rewrite(engine: Engine, salvaged: Salvaged): Promise<void> {
  const damaged = [...engine.collections.values()].filter(({ id }) => salvaged.damaged.has(id));
  const rewritings = damaged.map((state) => new Rewriting(engine, state));
  const total = damaged.reduce((sum, { rows }) => sum + rows.liveCount, 0);
  let done = 0;
  const tell = (progress: Omit<Progress, 'phase'>) =>
    engine.events.emit('progress', { phase: 'repair', ...progress });
  // A damaged log is nothing to keep: the archive goes on from a base of its own, at the next checkpoint.
  const { archiving } = engine;
  engine.archiving = undefined;
  try {
    for (const rewriting of rewritings)
      await rewriting.copy((rows) => {
        done += rows;
        tell({ done, total });
      });
    engine.salvaged = undefined;
    await store(engine, await note(engine, rewritings));
  } catch (error) {
    engine.salvaged = salvaged;
    throw error;
  } finally {
    engine.archiving = archiving;
    for (const rewriting of rewritings) await rewriting.abandon();
  }
}

/** Restoring reaches as far as what is intact follows upon a base; the archive goes on from a new one. */
async function mendArchive(
  { storage }: Engine,
  { problems }: Salvaged,
  kept: readonly ArchivedFile[],
): Promise<void> {
  await replaceArchiveIndex(storage, kept);
  const names = new Set(kept.map(({ name }) => name));
  const dropped = (await findArchived(storage)).filter(({ name }) => !names.has(name));
  for (const { name } of dropped) await storage.remove(name);
  const newest = kept.at(-1);
  const until = newest
    ? `restoring reaches up to entry ${newest.lastSequence} at least`
    : 'nothing can be restored';
  const message = `${ARCHIVE_INDEX_NAME}: ${dropped.length} files given up that nothing leads to any more; ${until}; where the chain is broken, the next checkpoint writes a base to go on from`;
  problems.push({ file: ARCHIVE_INDEX_NAME, kind: 'reference', message });
}

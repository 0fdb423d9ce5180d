import type { DatabaseStats } from '../base/api.ts';
import { FORMAT_VERSION } from '../base/file-header.ts';
import type { Engine } from './engine.ts';
import type { Place } from './place.ts';

export async function statisticsOf(engine: Engine, place: Place): Promise<DatabaseStats> {
  const { journal, storage, memoryBytes, waiting, archiving, collections } = engine;
  const { oldestEntryTime, ...log } = journal.statistics();
  return {
    formatVersion: FORMAT_VERSION,
    diskBytes: await storage.usageBytes(),
    memoryBytes,
    log: {
      ...log,
      ...(oldestEntryTime !== undefined && { oldestEntry: new Date(oldestEntryTime) }),
      ...(await archiving?.statistics()),
    },
    ...(journal.generation > 0 && {
      lastCheckpoint: { sequence: journal.coveredSequence, at: new Date(journal.writtenAt) },
    }),
    queue: { waiting: waiting.operations, bytes: waiting.bytes },
    storage: await place.stats(),
    cache: engine.resultCache?.stats ?? { hits: 0, misses: 0, hitRatio: 0, entries: 0, bytes: 0 },
    collections: collections.infos(),
  };
}

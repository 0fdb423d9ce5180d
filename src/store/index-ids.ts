import { errorCodeOf } from '../base/errors.ts';
import type { Engine } from './engine.ts';

/** Ids between two turns of others: 1 to 2 ms. */
const IDS_PER_TURN = 4096;

/** After opening, in the background: queries need no ids to be found, but writes and `get` do, and need not wait then. */
export function indexIds(engine: Engine): void {
  engine.findingIds = indexAll(engine).finally(() => {
    engine.findingIds = undefined;
  });
}

async function indexAll({ collections, events, pause }: Engine): Promise<void> {
  for (const state of [...collections.values()])
    try {
      while (!state.isDropped && !state.rows.indexIds(IDS_PER_TURN)) await pause();
    } catch (error) {
      // Whoever asks for an id will be told, too.
      events.emit('warning', { code: errorCodeOf(error), message: `ids of "${state.name}": ${error}` });
    }
}

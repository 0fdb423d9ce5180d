import type { CompiledFilter } from '../filter/filter.ts';
import type { CollectionState } from './collection-state.ts';
import type { Draft } from './draft.ts';
import { bodyMatches, withMatching } from './matching.ts';
import { Slices } from './slices.ts';

/**
 * Deletes what matches, as the batch sees it: what it has written itself, over what is staged, over what is committed.
 * Nobody else stages anything meanwhile; what is staged may become committed, and is then the same.
 * @returns how many records
 */
export async function deleteMatching(
  draft: Draft,
  state: CollectionState,
  filter: CompiledFilter,
  pause: () => Promise<void>,
): Promise<{ deleted: number }> {
  const slices = new Slices(pause);
  const staged = draft.latest(state);
  let deleted = 0;
  const remove = (id: string) => {
    draft.delete(state, id);
    deleted++;
  };
  const { table, rows } = await withMatching(state, filter, pause, (matching) => ({
    table: state.rows,
    rows: matching.list(),
  }));
  for (const [id, operation] of staged) {
    if (slices.isOver) await slices.rest();
    if (operation.kind === 'put' && bodyMatches(operation.body, filter)) remove(id);
  }
  for (const row of rows) {
    if (slices.isOver) await slices.rest();
    // By the table of that turn: compaction may have renumbered since.
    const id = table.id(row);
    if (!staged.has(id)) remove(id);
  }
  return { deleted };
}

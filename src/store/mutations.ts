/**
 * What can be done to a collection, in two steps: everything given is checked and copied at the call, and the change
 * that comes out is made to a draft later, when it is this batch's turn.
 */
import type { Filter, Metadata, RecordInput } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import type { CollectionState } from './collection-state.ts';
import type { Draft } from './draft.ts';
import { checkedFilter } from './given-filter.ts';
import { type Change, checkChange, checkIds, checkRecord, listRecords } from './records.ts';
import type { PlacedBody } from './schemas.ts';

export interface Mutation<T> {
  /** What it holds in memory until its turn comes. */
  bytes: number;
  apply(draft: Draft): Promise<T> | T;
}

type OneOrMany<T> = T | T[];

/** Lets others have a turn. */
type Pause = () => Promise<void>;

export function insertion<M extends Metadata>(
  state: CollectionState,
  records: OneOrMany<RecordInput<M>>,
  pause: Pause,
): Mutation<{ ids: string[] }> {
  return putting(state, records, pause, (draft, id, path) => {
    if (draft.has(state, id))
      throw new IsovecError('DUPLICATE_ID', `${path}.id "${id}" is there already`, {
        details: { path: `${path}.id`, id },
      });
  });
}

export function upsertion<M extends Metadata>(
  state: CollectionState,
  records: OneOrMany<RecordInput<M>>,
  pause: Pause,
): Mutation<{ ids: string[] }> {
  return putting(state, records, pause, () => {});
}

export function updating<M extends Metadata>(
  state: CollectionState,
  changes: OneOrMany<Change<M>>,
  pause: Pause,
): Mutation<{ ids: string[] }> {
  const checked = listRecords(changes, 'changes').map(({ record, path }) =>
    checkChange(record, path, state.config),
  );
  return {
    bytes: checked.reduce(
      (sum, { id, metadata, text, vector }) => sum + sizeOf(id, metadata, vector) + (text?.byteLength ?? 0),
      0,
    ),
    async apply(draft) {
      const { changed } = await import('./on-demand.ts');
      const bodies: PlacedBody[] = [];
      for (const [index, change] of checked.entries()) {
        const record = await changed(draft, state, change);
        draft.put(state, change.id, record);
        if (change.metadata) bodies.push({ index, path: change.path, id: change.id, body: record.body });
      }
      await checkSchema(state, bodies, pause);
      return { ids: checked.map(({ id }) => id) };
    },
  };
}

export function deletion(
  state: CollectionState,
  which: OneOrMany<string> | { filter: Filter },
  pause: Pause,
): Mutation<{ deleted: number }> {
  if (typeof which === 'object' && which !== null && !Array.isArray(which))
    return deletionByFilter(state, which, pause);
  const ids = checkIds(which, 'which');
  return {
    bytes: ids.reduce((sum, id) => sum + sizeOf(id), 0),
    apply(draft) {
      let deleted = 0;
      for (const id of ids) {
        if (!draft.has(state, id)) continue;
        draft.delete(state, id);
        deleted++;
      }
      return { deleted };
    },
  };
}

function deletionByFilter(
  state: CollectionState,
  { filter }: { filter: Filter },
  pause: Pause,
): Mutation<{ deleted: number }> {
  const checked = checkedFilter(filter, 'which.filter');
  return {
    bytes: 0,
    async apply(draft) {
      const filter = await checked;
      const { deleteMatching } = await import('./on-demand.ts');
      return deleteMatching(draft, state, filter, pause);
    },
  };
}

function putting<M extends Metadata>(
  state: CollectionState,
  records: OneOrMany<RecordInput<M>>,
  pause: Pause,
  check: (draft: Draft, id: string, path: string) => void,
): Mutation<{ ids: string[] }> {
  const listed = listRecords(records, 'records');
  const { config } = state;
  const room = new Float32Array(listed.length * config.dimensions);
  const checked = listed.map(({ record, path }, index) => {
    const start = index * config.dimensions;
    return checkRecord(record, path, config, room.subarray(start, start + config.dimensions));
  });
  return {
    bytes: checked.reduce((sum, { id, body, vector }) => sum + sizeOf(id, body, vector), 0),
    async apply(draft) {
      for (const [index, record] of checked.entries()) {
        check(draft, record.id, listed[index]!.path);
        draft.put(state, record.id, record);
      }
      const bodies = checked.map(({ id, body }, index) => ({ index, path: listed[index]!.path, id, body }));
      await checkSchema(state, bodies, pause);
      return { ids: checked.map(({ id }) => id) };
    },
  };
}

/** Of the collection as it is by now: it may have been given another one since the call. */
async function checkSchema({ config }: CollectionState, bodies: PlacedBody[], pause: Pause): Promise<void> {
  if (!config.schema) return;
  const { checkBodies } = await import('./on-demand.ts');
  await checkBodies(config.schema, bodies, pause);
}

/** Roughly: ids are mostly ASCII. */
function sizeOf(id: string, body?: Uint8Array, vector?: Float32Array): number {
  return id.length + (body?.byteLength ?? 0) + (vector?.byteLength ?? 0);
}

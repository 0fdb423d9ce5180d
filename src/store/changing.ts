/** What an update makes of a record. */
import { IsovecError } from '../base/errors.ts';
import { encodeUtf8 } from '../base/utf8.ts';
import { decodeMetadata, joinBody, splitBody } from './body.ts';
import type { CollectionState } from './collection-state.ts';
import type { Draft } from './draft.ts';
import type { CheckedChange } from './records.ts';
import type { RawRecord } from './rows-view.ts';

/** @throws IsovecError NOT_FOUND */
export async function changed(
  draft: Draft,
  state: CollectionState,
  { id, path, vector, metadata, text }: CheckedChange,
): Promise<RawRecord> {
  const record = await draft.get(state, id);
  if (!record)
    throw new IsovecError('NOT_FOUND', `${path}.id "${id}" is not there`, {
      details: { path: `${path}.id`, id },
    });
  return {
    vector: vector ?? record.vector,
    checksum: vector ? undefined : record.checksum,
    body: metadata || text ? changedBody(record.body, metadata, text) : record.body,
  };
}

function changedBody(
  body: Uint8Array,
  changes: Uint8Array | undefined,
  text: Uint8Array | undefined,
): Uint8Array {
  const before = splitBody(body);
  const metadata = changes ? mergeMetadata(before.metadata, changes) : before.metadata;
  return joinBody(metadata, text ?? before.text);
}

/** Shallow: each field of `changes` takes the place of that of `metadata`, or removes it. All encoded. */
function mergeMetadata(metadata: Uint8Array, changes: Uint8Array): Uint8Array {
  const merged = new Map(Object.entries(decodeMetadata(metadata)));
  for (const [key, value] of Object.entries(decodeMetadata(changes)))
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  return encodeUtf8(JSON.stringify(Object.fromEntries(merged)));
}

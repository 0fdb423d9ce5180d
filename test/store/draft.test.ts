import { describe, expect, it } from 'vitest';
import { BATCH_BYTES_MAX } from '../../src/base/limits.ts';
import type { CollectionState } from '../../src/store/collection-state.ts';
import { Draft } from '../../src/store/draft.ts';
import { RowTable } from '../../src/tables/row-table.ts';

const state = { id: 1, rows: new RowTable() } as unknown as CollectionState;
const megabyte = { body: new Uint8Array(1024 * 1024), vector: new Float32Array(1), checksum: undefined };

describe('Draft', () => {
  it('refuses what would make it larger than a batch may be, its parts included, and keeps the rest', () => {
    const draft = new Draft(new Map());
    const first = draft.child();
    const fitting = BATCH_BYTES_MAX / 1024 / 1024 - 1;
    for (let index = 0; index < fitting; index++) first.put(state, `id${index}`, megabyte);
    first.fold();
    const second = draft.child();
    expect(() => second.put(state, 'one more', megabyte)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(String(BATCH_BYTES_MAX)),
      }),
    );
    expect(draft.operations.length).toBe(fitting);
    draft.delete(state, 'id0');
    expect(draft.has(state, 'id0')).toBe(false);
    expect(draft.has(state, 'id1')).toBe(true);
  });
});

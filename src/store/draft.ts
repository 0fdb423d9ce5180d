import { assert, IsovecError } from '../base/errors.ts';
import { BATCH_BYTES_MAX } from '../base/limits.ts';
import { encodeUtf8 } from '../base/utf8.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import type { CollectionState } from './collection-state.ts';
import { operationBytes, type RecordOperation } from './operations.ts';
import type { Receipt } from './receipts.ts';
import type { RawRecord } from './rows-view.ts';

/** Ids that uncommitted operations have touched, by collection: the latest operation of each. */
export type Staged = Map<number, Map<string, RecordOperation>>;

/**
 * A batch being put together: what it would change, seen through what is staged before it, over what is committed.
 * Nothing outside it changes until it is merged.
 */
export class Draft {
  readonly operations: RecordOperation[] = [];
  /** Goes into the log with the operations, if there are any. */
  receipt: Receipt | undefined;
  readonly #below: Staged;
  readonly #parent: Draft | undefined;
  readonly #own: Staged = new Map();
  #bytes: number;

  constructor(below: Staged, parent?: Draft) {
    this.#below = below;
    this.#parent = parent;
    this.#bytes = parent?.bytes ?? 0;
  }

  /** What the batch takes in the log. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A part of this batch that can fail alone: it sees all of this draft, which changes only when it is folded in. */
  child(): Draft {
    return new Draft(this.#below, this);
  }

  /** The parent takes over what this one does. */
  fold(): void {
    const parent = this.#parent;
    assert(parent, 'only a child is folded');
    for (const operation of this.operations) parent.operations.push(operation);
    overlay(parent.#own, this.#own);
    parent.#bytes = this.#bytes;
  }

  has(state: CollectionState, id: string): boolean {
    const staged = this.#latest(state, id);
    return staged ? staged.kind === 'put' : state.rows.find(encodeUtf8(id)) !== NO_ROW;
  }

  /** The record as the batch sees it. */
  async get(state: CollectionState, id: string): Promise<RawRecord | undefined> {
    const staged = this.#latest(state, id);
    if (staged) return staged.kind === 'put' ? staged : undefined;
    const row = state.rows.find(encodeUtf8(id));
    if (row === NO_ROW) return undefined;
    const [record] = await state.read([row], { body: true, vector: true });
    return record as RawRecord;
  }

  /** Of what this batch, and what is staged before it, have touched: the latest operation of each record. */
  latest(state: CollectionState): Map<string, RecordOperation> {
    const before = this.#parent ? this.#parent.latest(state) : this.#below.get(state.id);
    return new Map([...(before ?? []), ...(this.#own.get(state.id) ?? [])]);
  }

  put(state: CollectionState, id: string, { body, vector, checksum }: RawRecord): void {
    const put = { kind: 'put' as const, collectionId: state.id, id: encodeUtf8(id), body, vector, checksum };
    this.#add(state, id, put);
  }

  delete(state: CollectionState, id: string): void {
    this.#add(state, id, { kind: 'delete', collectionId: state.id, id: encodeUtf8(id) });
  }

  /** Later drafts see what this one does. */
  merge(): void {
    overlay(this.#below, this.#own);
  }

  /** Committed: what it did is no longer staged, unless a later draft has touched the same id. */
  unmerge(): void {
    for (const [collectionId, operations] of this.#own) {
      const below = this.#below.get(collectionId);
      for (const [id, operation] of operations) if (below?.get(id) === operation) below.delete(id);
    }
  }

  #latest(state: CollectionState, id: string): RecordOperation | undefined {
    const own = this.#own.get(state.id)?.get(id);
    if (own) return own;
    return this.#parent ? this.#parent.#latest(state, id) : this.#below.get(state.id)?.get(id);
  }

  #add(state: CollectionState, id: string, operation: RecordOperation): void {
    this.#bytes += operationBytes(operation);
    if (this.#bytes > BATCH_BYTES_MAX)
      throw new IsovecError(
        'INVALID_ARGUMENT',
        `a batch or transaction is one atomic unit of at most ${BATCH_BYTES_MAX} bytes; this one is larger: split it`,
        { details: { bytesMax: BATCH_BYTES_MAX, operations: this.operations.length } },
      );
    this.operations.push(operation);
    const own = this.#own.get(state.id) ?? new Map<string, RecordOperation>();
    this.#own.set(state.id, own.set(id, operation));
  }
}

function overlay(below: Staged, above: Staged): void {
  for (const [collectionId, operations] of above) {
    const merged = below.get(collectionId) ?? new Map<string, RecordOperation>();
    below.set(collectionId, merged);
    for (const [id, operation] of operations) merged.set(id, operation);
  }
}

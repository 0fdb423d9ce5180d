/** A transaction as its function sees it: operations on one draft, one after the other, until it ends. */
import { abortable, checkNotAborted } from '../base/abort.ts';
import type {
  Filter,
  Metadata,
  RecordInput,
  StoredRecord,
  Transaction,
  TransactionCollection,
} from '../base/api.ts';
import { closed } from '../base/errors.ts';
import { Mutex } from '../base/mutex.ts';
import type { CollectionState } from './collection-state.ts';
import type { Draft } from './draft.ts';
import { deletion, insertion, type Mutation, updating, upsertion } from './mutations.ts';
import { type Change, checkIds, publishRecord } from './records.ts';

export interface TransactionOwner {
  /** @throws IsovecError NOT_FOUND */
  find(name: string): CollectionState;
  /** Lets others have a turn. */
  pause(): Promise<void>;
}

/**
 * Lets `fn` fill the draft.
 * @returns what `fn` returned; the draft is complete then
 * @throws what `fn` throws; ABORTED at once, though `fn` may still run
 */
export async function runTransaction<T>(
  draft: Draft,
  owner: TransactionOwner,
  fn: (transaction: Transaction) => Promise<T> | T,
  signal: AbortSignal,
): Promise<T> {
  const transaction = new LocalTransaction(draft, owner, signal);
  try {
    const running = (async () => fn(transaction))();
    return await abortable(running, [signal]);
  } finally {
    await transaction.end();
  }
}

export class LocalTransaction implements Transaction {
  readonly #draft: Draft;
  readonly #owner: TransactionOwner;
  readonly #signal: AbortSignal;
  readonly #turns = new Mutex();
  #isOver = false;

  constructor(draft: Draft, owner: TransactionOwner, signal: AbortSignal) {
    this.#draft = draft;
    this.#owner = owner;
    this.#signal = signal;
  }

  collection<M extends Metadata = Metadata>(name: string): TransactionCollection<M> {
    return new LocalTransactionCollection<M>(this, name);
  }

  /** No call is taken any more; resolves when those under way are done. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#turns.run(async () => {});
  }

  /** @param prepare checks and copies what was given, before anything waits */
  async mutate<T>(
    name: string,
    prepare: (state: CollectionState, pause: () => Promise<void>) => Mutation<T>,
  ): Promise<T> {
    const mutation = prepare(this.#collection(name), this.#owner.pause);
    return this.#turns.run(async () => {
      checkNotAborted(this.#signal);
      const part = this.#draft.child();
      const result = await mutation.apply(part);
      part.fold();
      return result;
    });
  }

  async read(name: string, ids: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    const state = this.#collection(name);
    return this.#turns.run(async () => {
      checkNotAborted(this.#signal);
      const records = await Promise.all(ids.map((id) => this.#draft.get(state, id)));
      return records.map((record, index) => record && publishRecord(ids[index]!, record));
    });
  }

  #collection(name: string): CollectionState {
    if (this.#isOver) throw closed('transaction');
    checkNotAborted(this.#signal);
    return this.#owner.find(name);
  }
}

class LocalTransactionCollection<M extends Metadata> implements TransactionCollection<M> {
  readonly #transaction: LocalTransaction;
  readonly #name: string;

  constructor(transaction: LocalTransaction, name: string) {
    this.#transaction = transaction;
    this.#name = name;
  }

  insert(records: RecordInput<M> | RecordInput<M>[]): Promise<{ ids: string[] }> {
    return this.#transaction.mutate(this.#name, (state, pause) => insertion(state, records, pause));
  }

  upsert(records: RecordInput<M> | RecordInput<M>[]): Promise<{ ids: string[] }> {
    return this.#transaction.mutate(this.#name, (state, pause) => upsertion(state, records, pause));
  }

  update(changes: Change<M> | Change<M>[]): Promise<{ ids: string[] }> {
    return this.#transaction.mutate(this.#name, (state, pause) => updating(state, changes, pause));
  }

  delete(which: string | string[] | { filter: Filter }): Promise<{ deleted: number }> {
    return this.#transaction.mutate(this.#name, (state, pause) => deletion(state, which, pause));
  }

  get(id: string): Promise<StoredRecord<M> | undefined>;
  get(ids: string[]): Promise<(StoredRecord<M> | undefined)[]>;
  async get(
    which: string | string[],
  ): Promise<StoredRecord<M> | undefined | (StoredRecord<M> | undefined)[]> {
    const ids = checkIds(which, Array.isArray(which) ? 'ids' : 'id');
    const records = (await this.#transaction.read(this.#name, ids)) as (StoredRecord<M> | undefined)[];
    return Array.isArray(which) ? records : records[0];
  }
}

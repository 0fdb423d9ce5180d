/** A transaction in a worker, as its function sees it here. */
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
import { blaming, filterOf } from './blame-filter.ts';
import type { WorkerLink } from './link.ts';
import { sendRecords } from './packing.ts';
import type { Call, RecordMethod, TransactionMethod } from './protocol.ts';

/**
 * Opens a transaction in the worker, lets `fn` fill it, and commits it, or rolls it back when `fn` fails.
 */
export async function runRemoteTransaction<T>(
  link: WorkerLink,
  fn: (transaction: Transaction) => Promise<T> | T,
  signal: AbortSignal,
): Promise<T> {
  const id = link.newId();
  const abort = () => link.abort(id);
  signal.addEventListener('abort', abort);
  try {
    await link.call({ type: 'begin', transaction: id }, { id }).catch((error) => {
      checkNotAborted(signal);
      throw error;
    });
    const transaction = new RemoteTransaction(link, id, signal);
    const running = (async () => fn(transaction))();
    let result: T;
    try {
      result = await abortable(running, [signal]);
    } catch (error) {
      transaction.isOver = true;
      // It is gone already when it was aborted.
      await link.call({ type: 'end', transaction: id, isCommit: false }).catch(() => {});
      throw error;
    }
    transaction.isOver = true;
    await link.call({ type: 'end', transaction: id, isCommit: true });
    return result;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

class RemoteTransaction implements Transaction {
  readonly link: WorkerLink;
  readonly id: number;
  readonly #signal: AbortSignal;
  isOver = false;

  constructor(link: WorkerLink, id: number, signal: AbortSignal) {
    this.link = link;
    this.id = id;
    this.#signal = signal;
  }

  collection<M extends Metadata = Metadata>(name: string): TransactionCollection<M> {
    return new RemoteTransactionCollection<M>(this, name);
  }

  check(): void {
    if (this.isOver) throw closed('transaction');
    checkNotAborted(this.#signal);
  }
}

class RemoteTransactionCollection<M extends Metadata> implements TransactionCollection<M> {
  readonly #transaction: RemoteTransaction;
  readonly #name: string;

  constructor(transaction: RemoteTransaction, name: string) {
    this.#transaction = transaction;
    this.#name = name;
  }

  insert(records: RecordInput<M> | RecordInput<M>[]): Promise<{ ids: string[] }> {
    return this.#write('insert', records, 'records');
  }

  upsert(records: RecordInput<M> | RecordInput<M>[]): Promise<{ ids: string[] }> {
    return this.#write('upsert', records, 'records');
  }

  update(
    changes: (Partial<RecordInput<M>> & { id: string }) | (Partial<RecordInput<M>> & { id: string })[],
  ): Promise<{ ids: string[] }> {
    return this.#write('update', changes, 'changes');
  }

  async delete(which: string | string[] | { filter: Filter }): Promise<{ deleted: number }> {
    const deleted = await blaming([filterOf(which)], () => this.#call('delete', which));
    return deleted as { deleted: number };
  }

  get(id: string): Promise<StoredRecord<M> | undefined>;
  get(ids: string[]): Promise<(StoredRecord<M> | undefined)[]>;
  async get(
    which: string | string[],
  ): Promise<StoredRecord<M> | undefined | (StoredRecord<M> | undefined)[]> {
    return (await this.#call('get', which)) as StoredRecord<M> | undefined | (StoredRecord<M> | undefined)[];
  }

  async #write(method: RecordMethod, given: unknown, name: string): Promise<{ ids: string[] }> {
    const ids = await sendRecords(given, name, (packed) =>
      this.#call(method, packed, [packed.vectors.buffer]),
    );
    return ids as { ids: string[] };
  }

  async #call(method: TransactionMethod, given: unknown, transfer: Transferable[] = []): Promise<unknown> {
    const { link, id } = this.#transaction;
    this.#transaction.check();
    const call: Call = { type: 'within', transaction: id, collection: this.#name, method, given };
    return link.call(call, { transfer });
  }
}

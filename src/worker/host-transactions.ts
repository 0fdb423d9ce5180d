/** Transactions whose function runs at the other end of the wire: here they stand open until the other end ends them. */
import type { Filter, RecordInput, Transaction } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import type { LocalDatabase } from '../store/database.ts';
import { unpackRecords } from './packing.ts';
import type { Call, PackedRecords } from './protocol.ts';

/** Thrown into a transaction to roll it back. */
class RolledBack extends Error {}

interface OpenTransaction {
  transaction: Transaction;
  commit: () => void;
  rollBack: () => void;
  /** Settles when it has been committed or rolled back. */
  ended: Promise<void>;
}

export class HostTransactions {
  readonly #open = new Map<number, OpenTransaction>();

  /** Resolves when it is this transaction's turn. @throws what opening it throws; ABORTED */
  begin(id: number, database: LocalDatabase, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let hasBegun = false;
      const ended = database
        .transaction(
          (transaction) =>
            new Promise<void>((commit, fail) => {
              hasBegun = true;
              this.#open.set(id, { transaction, commit, rollBack: () => fail(new RolledBack()), ended });
              resolve();
            }),
          { signal },
        )
        .catch((error: unknown) => {
          if (!(error instanceof RolledBack)) throw error;
        });
      // What goes wrong after it has begun is told when it is ended.
      ended.catch((error: unknown) => {
        if (!hasBegun) reject(error);
      });
    });
  }

  run({ transaction: id, collection: name, method, given }: Call & { type: 'within' }): Promise<unknown> {
    const collection = this.#find(id).transaction.collection(name);
    switch (method) {
      case 'insert':
      case 'upsert':
      case 'update':
        return collection[method](unpackRecords(given as PackedRecords) as RecordInput & { id: string });
      case 'delete':
        return collection.delete(given as string[] | { filter: Filter });
      case 'get':
        return collection.get(given as string[]);
    }
  }

  async end(id: number, isCommit: boolean): Promise<void> {
    const { commit, rollBack, ended } = this.#find(id);
    this.#open.delete(id);
    if (isCommit) commit();
    else rollBack();
    await ended;
  }

  #find(id: number): OpenTransaction {
    const open = this.#open.get(id);
    if (!open) throw new IsovecError('CLOSED', 'the transaction has ended');
    return open;
  }
}

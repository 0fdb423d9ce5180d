/** Transactions whose function runs at the other end of the wire: here they stand open until the other end ends them. */
import type { Filter, RecordInput, Transaction } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import type { LocalDatabase } from '../store/database.ts';
import type { OperationId } from '../store/receipts.ts';
import { unpackRecords } from './packing.ts';
import type { Call, PackedRecords } from './protocol.ts';

/** Thrown into a transaction to roll it back. */
class RolledBack extends Error {}

interface OpenTransaction {
  transaction: Transaction;
  commit: (operation: OperationId | undefined) => void;
  rollBack: () => void;
  /** Settles when it has been committed or rolled back. */
  ended: Promise<void>;
}

export class HostTransactions {
  readonly #open = new Map<number, OpenTransaction>();
  /** Those that have yet to get their turn, and what makes them give it up. */
  readonly #waiting = new Map<number, () => void>();

  /** Resolves when it is this transaction's turn. @throws what opening it throws; ABORTED */
  begin(id: number, database: LocalDatabase, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let hasBegun = false;
      let isGivenUp = false;
      this.#waiting.set(id, () => {
        isGivenUp = true;
      });
      const ended = database
        .transaction(
          (transaction) =>
            new Promise<OperationId | undefined>((commit, fail) => {
              this.#waiting.delete(id);
              if (isGivenUp) {
                fail(wentAway());
                return;
              }
              hasBegun = true;
              this.#open.set(id, { transaction, commit, rollBack: () => fail(new RolledBack()), ended });
              resolve();
            }),
          { signal },
          (operation) => operation,
        )
        .then(() => {})
        .catch((error: unknown) => {
          if (!(error instanceof RolledBack)) throw error;
        });
      // What goes wrong after it has begun is told when it is ended.
      ended.catch((error: unknown) => {
        this.#waiting.delete(id);
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

  /** @param operation for a receipt of the commit */
  async end({ transaction: id, isCommit }: Call & { type: 'end' }, operation?: OperationId): Promise<void> {
    const { commit, rollBack, ended } = this.#find(id);
    this.#open.delete(id);
    if (isCommit) commit(operation);
    else rollBack();
    await ended;
  }

  #find(id: number): OpenTransaction {
    const open = this.#open.get(id);
    if (open) return open;
    // The other end makes no call after it has ended a transaction; so this is not where it was begun. Where it waits to
    // be begun once more, because the call was passed on, nobody would end it.
    this.#waiting.get(id)?.();
    throw wentAway();
  }
}

function wentAway(): IsovecError {
  return new IsovecError(
    'ABORTED',
    'the tab that wrote went away during the transaction: nothing of it is stored; run it again',
    { details: { by: 'writer' } },
  );
}

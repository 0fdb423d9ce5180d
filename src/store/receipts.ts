/**
 * Which operations have been carried out, for clients that never heard: one whose writer has gone asks the next one
 * again, under the same operation id, and the receipt answers instead of doing it twice.
 *
 * Receipts are in the log, each in the frame of what it is about, and so are as durable as that; a checkpoint keeps
 * them in the manifest.
 */

/** Who asks, and the how-manieth request of that client: the same for every attempt. */
export interface OperationId {
  /** A random number, below 2^53. */
  client: number;
  number: number;
  /** No request of this client before this number waits for an answer any more. */
  settledBefore: number;
}

export interface Receipt extends OperationId {
  /** What cannot be told from the request: how many were deleted, or the number of the collection. */
  outcome: number;
}

/**
 * A client never has more requests under way (see the worker's router), and is answered in order of commit; so what it
 * may ask again is among its newest.
 */
export const RECEIPTS_PER_CLIENT_MAX = 1024;

/** A tab that writes is among the last so many that did. Those gone for good are forgotten by this alone. */
const CLIENTS_MAX = 64;

/** As the manifest has it: clients in the order of their latest write, and their receipts in order of commit. */
export type StoredReceipts = [client: number, receipts: [number: number, outcome: number][]][];

export class Receipts {
  /** The client that has not written for the longest time first. */
  readonly #clients = new Map<number, Map<number, number>>();

  /** Deterministic, so that replaying the log gives the same. */
  add({ client, number, settledBefore, outcome }: Receipt): void {
    const receipts = this.#clients.get(client) ?? new Map<number, number>();
    for (const known of receipts.keys())
      if (known < settledBefore) receipts.delete(known);
      else break;
    receipts.set(number, outcome);
    if (receipts.size > RECEIPTS_PER_CLIENT_MAX) deleteFirst(receipts);
    this.#clients.delete(client);
    this.#clients.set(client, receipts);
    if (this.#clients.size > CLIENTS_MAX) deleteFirst(this.#clients);
  }

  /** @returns the outcome of an operation that has been carried out */
  find({ client, number }: OperationId): number | undefined {
    return this.#clients.get(client)?.get(number);
  }

  stored(): StoredReceipts {
    return [...this.#clients].map(([client, receipts]) => [client, [...receipts]]);
  }

  restore(stored: StoredReceipts): void {
    for (const [client, receipts] of stored) this.#clients.set(client, new Map(receipts));
  }
}

function deleteFirst<K>(map: Map<K, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

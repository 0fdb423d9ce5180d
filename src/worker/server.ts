/** Carries out the calls of one client on a database in this thread. */
import type {
  Hit,
  HitPage,
  Metadata,
  Query,
  RecommendQuery,
  RecordInput,
  StoredRecord,
  WriteOptions,
} from '../base/api.ts';
import { type Awaitable, whenThere } from '../base/awaitable.ts';
import { errorToImage } from '../base/errors.ts';
import type { LocalCollection } from '../store/collection.ts';
import type { LocalDatabase } from '../store/database.ts';
import type { OperationId } from '../store/receipts.ts';
import type { RunningScan } from '../store/start-scan.ts';
import { HostTransactions } from './host-transactions.ts';
import { type PackedHits, packHits } from './packed-hits.ts';
import { unpackRecords, vectorBuffers } from './packing.ts';
import type { Answer, Call, CollectionReference, ScannedBatch } from './protocol.ts';

type CallOf<T extends Call['type']> = Call & { type: T };

/** What a query is answered. */
type Found = Hit[] | PackedHits | (Hit[] | PackedHits)[] | HitPage;

export class CallServer {
  readonly #database: LocalDatabase;
  readonly #aborts = new Map<number, AbortController>();
  /** Transactions that are neither committed nor rolled back. */
  readonly #begun = new Set<number>();
  readonly #transactions = new HostTransactions();
  readonly #scans = new Map<number, RunningScan>();

  constructor(database: LocalDatabase) {
    this.#database = database;
  }

  /** @param operation of a call that changes something: should it have been carried out already, it is not done again */
  answer(id: number, call: Call, operation?: OperationId): Awaitable<Answer<unknown>> {
    return answered(() => {
      const outcome = operation && this.#database.outcomeOf(operation);
      return outcome === undefined ? this.#run(id, call, operation) : repeated(call, outcome);
    });
  }

  abort(id: number): void {
    this.#aborts.get(id)?.abort();
  }

  /** No call will come any more. Those under way go on, but what stands open between calls ends. */
  end(): void {
    for (const scan of this.#scans.values()) scan.end();
    this.#scans.clear();
    for (const transaction of this.#begun) this.#aborts.get(transaction)?.abort();
  }

  #run(id: number, call: Call, operation: OperationId | undefined): unknown {
    switch (call.type) {
      case 'database': {
        const method = this.#database[call.method] as (...given: unknown[]) => Promise<unknown>;
        return method.apply(this.#database, [...call.args, operation]);
      }
      case 'openCollection':
        return this.#openCollection(call, operation);
      case 'collection':
        return this.#collectionCall(call);
      case 'write':
        return this.#writing(id, call, (options) => {
          const records = unpackRecords(call.packed) as RecordInput & { id: string };
          return this.#collection(call.collection, operation)[call.method](records, options);
        });
      case 'delete':
        return this.#writing(id, call, (options) =>
          this.#collection(call.collection, operation).delete(call.which as string[], options),
        );
      case 'query':
        return call.isAbortable
          ? this.#abortable(id, (signal) => this.#query(call, signal))
          : this.#query(call);
      case 'scan':
        return this.#scan(call);
      case 'endScan':
        return this.#endScan(call.scan);
      case 'begin':
        return this.#begin(call);
      case 'within':
        return this.#transactions.run(call);
      case 'end':
        return this.#end(call, operation);
    }
  }

  async #openCollection(
    { name, config, isReadOnly }: CallOf<'openCollection'>,
    operation: OperationId | undefined,
  ): Promise<CollectionReference> {
    const { id } = await this.#database.localCollection(name, config, { operation, isReadOnly });
    return { name, id };
  }

  #collectionCall({ collection: reference, method, args }: CallOf<'collection'>): Promise<unknown> {
    const collection = this.#collection(reference);
    const call = collection[method] as (...given: unknown[]) => Promise<unknown>;
    return call.apply(collection, args);
  }

  #query(
    { collection: reference, method, queries }: CallOf<'query'>,
    signal?: AbortSignal,
  ): Awaitable<Found> {
    const collection = this.#collection(reference);
    const asked = signal ? queries.map((query): Query => ({ ...query, signal })) : queries;
    const [first] = asked;
    switch (method) {
      case 'query':
        return whenThere(collection.queryAtOnce(first!), (hits) => packHits(hits, first!));
      case 'queryMany':
        return whenThere(collection.queryMany(asked), (answers) =>
          answers.map((hits, at) => packHits(hits, asked[at]!)),
        );
      case 'queryPage':
        return collection.queryPage(first!);
      case 'recommend':
        return collection.recommend(first as unknown as RecommendQuery);
    }
  }

  async #scan({ collection, scan, options, bounds }: CallOf<'scan'>): Promise<ScannedBatch> {
    let running = this.#scans.get(scan);
    if (!running) {
      running = await this.#collection(collection).startScan(options, bounds);
      this.#scans.set(scan, running);
    }
    try {
      const batch = await running.next();
      if (batch.records.length === 0) this.#endScan(scan);
      return batch;
    } catch (error) {
      this.#endScan(scan);
      throw error;
    }
  }

  #endScan(scan: number): void {
    this.#scans.get(scan)?.end();
    this.#scans.delete(scan);
  }

  #begin({ transaction }: CallOf<'begin'>): Promise<void> {
    // It can be aborted until it has ended.
    const controller = new AbortController();
    this.#aborts.set(transaction, controller);
    this.#begun.add(transaction);
    return this.#transactions.begin(transaction, this.#database, controller.signal);
  }

  #end(call: CallOf<'end'>, operation: OperationId | undefined): Promise<void> {
    this.#aborts.delete(call.transaction);
    this.#begun.delete(call.transaction);
    return this.#transactions.end(call, operation);
  }

  #collection({ id, name }: CollectionReference, operation?: OperationId): LocalCollection<Metadata> {
    return this.#database.knownCollection(id, name, operation);
  }

  #writing<T>(
    id: number,
    { priority }: { priority: WriteOptions['priority'] },
    write: (options: WriteOptions) => Promise<T>,
  ): Promise<T> {
    return this.#abortable(id, (signal) => write({ signal, ...(priority && { priority }) }));
  }

  async #abortable<T>(id: number, run: (signal: AbortSignal) => Awaitable<T>): Promise<T> {
    const controller = new AbortController();
    this.#aborts.set(id, controller);
    try {
      return await run(controller.signal);
    } finally {
      this.#aborts.delete(id);
    }
  }
}

/** Whether the call was not carried out because the server's end came before. */
export function isCutShort(call: Call, answer: Answer<unknown>): boolean {
  if (answer.ok) return false;
  const { code } = answer.error;
  return code === 'CLOSED' || (code === 'ABORTED' && call.type === 'begin');
}

/** What a call was answered that has been carried out before. */
function repeated(call: Call, outcome: number): unknown {
  switch (call.type) {
    case 'write':
      return { ids: call.packed.records.map(({ fields }) => (fields as RecordInput).id) };
    case 'delete':
      return { deleted: outcome };
    case 'openCollection':
      return { name: call.name, id: outcome };
    default:
      return undefined;
  }
}

export function answered<T>(run: () => Promise<T>): Promise<Answer<T>>;
export function answered<T>(run: () => Awaitable<T>): Awaitable<Answer<T>>;
export function answered<T>(run: () => Awaitable<T>): Awaitable<Answer<T>> {
  const done = (value: T): Answer<T> => ({ ok: true, value });
  try {
    const value = run();
    return value instanceof Promise ? value.then(done, failed) : done(value);
  } catch (error) {
    return failed(error);
  }
}

export function failed(error: unknown): Answer<never> {
  return { ok: false, error: errorToImage(error) };
}

/** What of an answer is transferred, not copied. */
export function answerBuffers(call: Call, answer: Answer<unknown>): Transferable[] {
  if (!answer.ok) return [];
  if (call.type === 'query') {
    const found = answer.value as Found;
    if ('hits' in found) return vectorBuffers(found.hits);
    // What is packed has none.
    return Array.isArray(found) ? vectorBuffers(found.flat() as Partial<Hit>[]) : [];
  }
  if (call.type === 'scan') return vectorBuffers((answer.value as ScannedBatch).records);
  if ((call.type === 'collection' || call.type === 'within') && call.method === 'get')
    return vectorBuffers([answer.value].flat() as (StoredRecord | undefined)[]);
  return [];
}

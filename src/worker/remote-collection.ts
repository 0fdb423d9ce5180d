import { abortable, checkNotAborted } from '../base/abort.ts';
import type {
  Collection,
  CollectionInfo,
  ExplainedHits,
  ExplainedPage,
  Fields,
  Filter,
  Hit,
  HitPage,
  Include,
  Metadata,
  PageQuery,
  Quantization,
  Query,
  RecommendQuery,
  RecordInput,
  StoredRecord,
  WriteOptions,
} from '../base/api.ts';
import { checkObject, invalid } from '../base/check.ts';
import type { ScanBounds } from '../store/scan.ts';
import { copyVector } from '../store/vectors.ts';
import { checkWriteOptions } from '../store/write-options.ts';
import { blaming, filterOf, type GivenFilter } from './blame-filter.ts';
import type { WorkerLink } from './link.ts';
import { type PackedHits, unpackHits } from './packed-hits.ts';
import { sendRecords } from './packing.ts';
import type {
  Call,
  CollectionMethod,
  CollectionReference,
  QueryMethod,
  RecordMethod,
  ScannedBatch,
} from './protocol.ts';

/** A collection in a worker. It checks only what must be right to cross; the rest is checked at the other end. */
export class RemoteCollection<M extends Metadata> implements Collection<M> {
  readonly name: string;
  readonly #link: WorkerLink;
  readonly #reference: CollectionReference;

  constructor(reference: CollectionReference, link: WorkerLink) {
    this.name = reference.name;
    this.#link = link;
    this.#reference = reference;
  }

  info(): Promise<CollectionInfo> {
    return this.#call('info') as Promise<CollectionInfo>;
  }

  insert(records: RecordInput<M> | RecordInput<M>[], options?: WriteOptions): Promise<{ ids: string[] }> {
    return this.#write('insert', records, 'records', options);
  }

  upsert(records: RecordInput<M> | RecordInput<M>[], options?: WriteOptions): Promise<{ ids: string[] }> {
    return this.#write('upsert', records, 'records', options);
  }

  update(
    changes: (Partial<RecordInput<M>> & { id: string }) | (Partial<RecordInput<M>> & { id: string })[],
    options?: WriteOptions,
  ): Promise<{ ids: string[] }> {
    return this.#write('update', changes, 'changes', options);
  }

  delete(
    which: string | string[] | { filter: Filter },
    options?: WriteOptions,
  ): Promise<{ deleted: number }> {
    return this.#writing(options, (id, priority) =>
      blaming([filterOf(which)], () =>
        this.#link.call({ type: 'delete', collection: this.#reference, which, priority }, { id }),
      ),
    );
  }

  get(id: string): Promise<StoredRecord<M> | undefined>;
  get(ids: string[]): Promise<(StoredRecord<M> | undefined)[]>;
  get(which: string | string[]): Promise<StoredRecord<M> | undefined | (StoredRecord<M> | undefined)[]> {
    return this.#call('get', which) as Promise<StoredRecord<M> | undefined | (StoredRecord<M> | undefined)[]>;
  }

  count(filter?: Filter): Promise<number> {
    return blaming([[filter, 'filter']], () => this.#call('count', filter) as Promise<number>);
  }

  setQuantization(quantization: Quantization): Promise<void> {
    return this.#call('setQuantization', quantization) as Promise<void>;
  }

  setSchema(schema: object | undefined): Promise<void> {
    return this.#call('setSchema', schema) as Promise<void>;
  }

  setFields(fields: Fields): Promise<void> {
    return this.#call('setFields', fields) as Promise<void>;
  }

  async *scan(
    options: { filter?: Filter; batchSize?: number; include?: Include[] } = {},
  ): AsyncGenerator<StoredRecord<M>, void, undefined> {
    const collection = this.#reference;
    const scan = this.#link.newId();
    let bounds: ScanBounds | undefined;
    try {
      for (;;) {
        const call: Call = { type: 'scan', collection, scan, options, bounds };
        const batch = await blaming([[options.filter, 'options.filter']], () =>
          this.#link.call<ScannedBatch>(call),
        );
        if (batch.records.length === 0) return;
        bounds = batch.bounds;
        yield* batch.records as StoredRecord<M>[];
      }
    } finally {
      // Nobody waits for it: at worst the other end has gone.
      this.#link.call({ type: 'endScan', scan }).catch(() => {});
    }
  }

  query(query: Query & { explain: true }): Promise<ExplainedHits<M>>;
  query(query: Query): Promise<Hit<M>[]>;
  async query(query: Query): Promise<Hit<M>[]> {
    return unpackHits((await this.#query('query', [query])) as PackedHits | Hit[]) as Hit<M>[];
  }

  queryPage(query: PageQuery & { explain: true }): Promise<ExplainedPage<M>>;
  queryPage(query: PageQuery): Promise<HitPage<M>>;
  async queryPage(query: PageQuery): Promise<HitPage<M>> {
    return (await this.#query('queryPage', [query])) as HitPage<M>;
  }

  recommend(query: RecommendQuery & { explain: true }): Promise<ExplainedHits<M>>;
  recommend(query: RecommendQuery): Promise<Hit<M>[]>;
  async recommend(query: RecommendQuery): Promise<Hit<M>[]> {
    return (await this.#query('recommend', [query])) as Hit<M>[];
  }

  async queryMany(queries: Query[]): Promise<Hit<M>[][]> {
    if (!Array.isArray(queries)) throw invalid('queries', 'an array', queries);
    const answers = await this.#query('queryMany', queries, (index) => `queries[${index}]`);
    return (answers as (PackedHits | Hit[])[]).map(unpackHits) as Hit<M>[][];
  }

  /** Vectors are copied, not handed over: that would take longer, but for very long ones. */
  #query(
    method: QueryMethod,
    queries: Query[],
    pathOf: (index: number) => string = () => 'query',
  ): Promise<unknown> {
    const signals: AbortSignal[] = [];
    const filters: GivenFilter[] = [];
    let mayWait = true;
    const sent = queries.map((query, index) => {
      checkObject(query, pathOf(index));
      const { signal, ...rest } = query;
      checkNotAborted(signal);
      if (signal) signals.push(signal);
      const { vector, include, filter, ...others } = rest;
      if (vector !== undefined) rest.vector = copyVector(vector, `${pathOf(index)}.vector`);
      if (Array.isArray(include)) rest.include = [...include];
      else mayWait &&= include === undefined;
      if (filter !== undefined) filters.push([filter, `${pathOf(index)}.filter`]);
      for (const key in others) mayWait &&= typeof others[key as keyof typeof others] !== 'object';
      return rest;
    });
    mayWait &&= filters.length === 0;
    const id = this.#link.newId();
    const isAbortable = signals.length > 0;
    const call: Call = { type: 'query', collection: this.#reference, method, queries: sent, isAbortable };
    const send = () => this.#link.call(call, { id, mayWait });
    const answered = filters.length > 0 ? blaming(filters, send) : send();
    return isAbortable ? abortable(answered, signals, () => this.#link.abort(id)) : answered;
  }

  async #write(
    method: RecordMethod,
    given: unknown,
    name: string,
    options: WriteOptions | undefined,
  ): Promise<{ ids: string[] }> {
    return this.#writing(options, (id, priority) =>
      sendRecords(given, name, (packed) => {
        const call: Call = { type: 'write', collection: this.#reference, method, packed, priority };
        return this.#link.call(call, { id, transfer: [packed.vectors.buffer] });
      }),
    );
  }

  /** An abort is passed on; whether the write was still waiting is known at the other end only. */
  async #writing<T>(
    options: WriteOptions | undefined,
    send: (id: number, priority: WriteOptions['priority']) => Promise<T>,
  ): Promise<T> {
    const { priority, signal } = checkWriteOptions(options);
    const id = this.#link.newId();
    const abort = () => this.#link.abort(id);
    signal?.addEventListener('abort', abort);
    try {
      return await send(id, priority);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #call(method: CollectionMethod, ...args: unknown[]): Promise<unknown> {
    return this.#link.call({ type: 'collection', collection: this.#reference, method, args });
  }
}

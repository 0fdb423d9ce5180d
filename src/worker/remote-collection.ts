import * as Comlink from 'comlink';
import { abortable, checkNotAborted } from '../base/abort.ts';
import type {
  Collection,
  CollectionInfo,
  Filter,
  Hit,
  Include,
  Metadata,
  Query,
  RecordInput,
  StoredRecord,
  WriteOptions,
} from '../base/api.ts';
import { checkObject, invalid, unsupported } from '../store/check.ts';
import { copyVector } from '../store/vectors.ts';
import { checkWriteOptions } from '../store/write-options.ts';
import type { WorkerLink } from './link.ts';
import { sendRecords } from './packing.ts';
import type { CollectionMethod, RecordMethod, RemoteWriteOptions } from './protocol.ts';

/** A collection in a worker. It checks only what must be right to cross; the rest is checked at the other end. */
export class RemoteCollection<M extends Metadata> implements Collection<M> {
  readonly name: string;
  readonly #link: WorkerLink;
  readonly #handle: number;
  readonly #nextAbortId: () => number;

  constructor(name: string, link: WorkerLink, handle: number, nextAbortId: () => number) {
    this.name = name;
    this.#link = link;
    this.#handle = handle;
    this.#nextAbortId = nextAbortId;
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
    return this.#writing(options, (remote) =>
      this.#link.call((host) => host.delete(this.#handle, which, remote)),
    );
  }

  get(id: string): Promise<StoredRecord<M> | undefined>;
  get(ids: string[]): Promise<(StoredRecord<M> | undefined)[]>;
  get(which: string | string[]): Promise<StoredRecord<M> | undefined | (StoredRecord<M> | undefined)[]> {
    return this.#call('get', which) as Promise<StoredRecord<M> | undefined | (StoredRecord<M> | undefined)[]>;
  }

  count(filter?: Filter): Promise<number> {
    return this.#call('count', filter) as Promise<number>;
  }

  async *scan(
    options: { filter?: Filter; batchSize?: number; include?: Include[] } = {},
  ): AsyncGenerator<StoredRecord<M>, void, undefined> {
    const { filter, ...rest } = options;
    if (filter !== undefined) throw unsupported('scanning by filter', 'options.filter');
    const scan = await this.#link.call((host) => host.openScan(this.#handle, rest));
    try {
      for (;;) {
        const records = await this.#link.call((host) => host.nextScanned(scan));
        if (records.length === 0) return;
        yield* records as StoredRecord<M>[];
      }
    } finally {
      this.#link.tell((host) => host.closeScan(scan));
    }
  }

  async query(query: Query): Promise<Hit<M>[]> {
    return (await this.#query([query], () => 'query', true)) as Hit<M>[];
  }

  async queryMany(queries: Query[]): Promise<Hit<M>[][]> {
    if (!Array.isArray(queries)) throw invalid('queries', 'an array', queries);
    return (await this.#query(queries, (index) => `queries[${index}]`, false)) as Hit<M>[][];
  }

  async #query(queries: Query[], pathOf: (index: number) => string, isSingle: boolean): Promise<unknown> {
    const signals: AbortSignal[] = [];
    const sent = queries.map((query, index) => {
      checkObject(query, pathOf(index));
      const { signal, ...rest } = query;
      checkNotAborted(signal);
      if (signal) signals.push(signal);
      return rest.vector === undefined
        ? rest
        : { ...rest, vector: copyVector(rest.vector, `${pathOf(index)}.vector`) };
    });
    const buffers = sent.flatMap(({ vector }) => (vector instanceof Float32Array ? [vector.buffer] : []));
    const abortId = this.#nextAbortId();
    const answered = this.#link.call((host) =>
      host.query(this.#handle, Comlink.transfer(sent, buffers as ArrayBuffer[]), isSingle, abortId),
    );
    return abortable(answered, signals, () => this.#link.tell((host) => host.abort(abortId)));
  }

  async #write(
    method: RecordMethod,
    given: unknown,
    name: string,
    options: WriteOptions | undefined,
  ): Promise<{ ids: string[] }> {
    return this.#writing(options, (remote) =>
      sendRecords(given, name, (packed) =>
        this.#link.call((host) =>
          host.write(this.#handle, method, Comlink.transfer(packed, [packed.vectors.buffer]), remote),
        ),
      ),
    );
  }

  /** An abort is passed on; whether the write was still waiting is known at the other end only. */
  async #writing<T>(
    options: WriteOptions | undefined,
    send: (remote: RemoteWriteOptions) => Promise<T>,
  ): Promise<T> {
    const { priority, signal } = checkWriteOptions(options);
    const abortId = this.#nextAbortId();
    const abort = () => this.#link.tell((host) => host.abort(abortId));
    signal?.addEventListener('abort', abort);
    try {
      return await send({ abortId, ...(priority && { priority }) });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #call(method: CollectionMethod, ...args: unknown[]): Promise<unknown> {
    return this.#link.call((host) => host.collection(this.#handle, method, args));
  }
}

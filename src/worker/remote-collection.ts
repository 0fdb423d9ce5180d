import * as Comlink from 'comlink';
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
} from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import { checkNotAborted, checkObject, invalid, unsupported } from '../store/check.ts';
import { encodeMetadata } from '../store/metadata.ts';
import { copyVector } from '../store/vectors.ts';
import type { WorkerLink } from './link.ts';
import { packRecords } from './packing.ts';
import type { CollectionMethod, PackedRecord, RecordMethod } from './protocol.ts';

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

  delete(which: string | string[] | { filter: Filter }): Promise<{ deleted: number }> {
    return this.#call('delete', which) as Promise<{ deleted: number }>;
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

  async #write(method: RecordMethod, given: unknown, name: string): Promise<{ ids: string[] }> {
    const packed = packRecords(given, name);
    try {
      return await this.#link.call((host) =>
        host.write(this.#handle, method, Comlink.transfer(packed, [packed.vectors.buffer])),
      );
    } catch (error) {
      if (
        error instanceof IsovecError &&
        error.cause instanceof Error &&
        error.cause.name === 'DataCloneError'
      )
        blameMetadata(packed.records, packed.isSingle, name);
      throw error;
    }
  }

  #call(method: CollectionMethod, ...args: unknown[]): Promise<unknown> {
    return this.#link.call((host) => host.collection(this.#handle, method, args));
  }
}

/** Rejects as soon as one of the signals is aborted, and calls the other end off. */
async function abortable<T>(answer: Promise<T>, signals: AbortSignal[], callOff: () => void): Promise<T> {
  if (signals.length === 0) return answer;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (event: Event) => {
      callOff();
      reject(
        new IsovecError('ABORTED', 'aborted by its signal', { cause: (event.target as AbortSignal).reason }),
      );
    };
    for (const signal of signals) signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    stop();
  }
}

/** What cannot be sent is metadata that could not be stored either: the check for that names its place. */
function blameMetadata(records: readonly PackedRecord[], isSingle: boolean, name: string): void {
  for (const [index, { fields }] of records.entries()) {
    const { metadata } = fields as RecordInput;
    encodeMetadata(metadata, isSingle ? `${name}.metadata` : `${name}[${index}].metadata`);
  }
}

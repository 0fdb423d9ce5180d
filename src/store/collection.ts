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
import { NO_ROW } from '../tables/id-hash.ts';
import { checkInteger, checkNotAborted, unsupported } from './check.ts';
import type { CollectionState, RawRecord } from './collection-state.ts';
import type { Draft } from './draft.ts';
import type { Engine } from './engine.ts';
import { decodeMetadata, mergeMetadata } from './metadata.ts';
import { runQuery } from './query.ts';
import { checkInclude, checkQuery } from './query-plan.ts';
import {
  type Change,
  type CheckedChange,
  checkChange,
  checkIds,
  checkRecord,
  listRecords,
} from './records.ts';
import { Scan } from './scan.ts';
import type { Session } from './session.ts';

const SCAN_BATCH_DEFAULT = 256;
const SCAN_BATCH_MAX = 100_000;

/** The door to one collection: checks what comes in, and hands it on in the form that everything inside takes. */
export class LocalCollection<M extends Metadata> implements Collection<M> {
  readonly name: string;
  readonly #state: CollectionState;
  readonly #engine: Engine;
  readonly #session: Session;

  constructor(state: CollectionState, engine: Engine, session: Session) {
    this.name = state.name;
    this.#state = state;
    this.#engine = engine;
    this.#session = session;
  }

  info(): Promise<CollectionInfo> {
    return this.#run(() => this.#state.info());
  }

  insert(records: RecordInput<M> | RecordInput<M>[]): Promise<{ ids: string[] }> {
    return this.#put(records, (draft, id, path) => {
      if (draft.has(this.#state, id))
        throw new IsovecError('DUPLICATE_ID', `${path}.id "${id}" is there already`, {
          details: { path: `${path}.id`, id },
        });
    });
  }

  upsert(records: RecordInput<M> | RecordInput<M>[]): Promise<{ ids: string[] }> {
    return this.#put(records, () => {});
  }

  update(changes: Change<M> | Change<M>[]): Promise<{ ids: string[] }> {
    return this.#run(() => {
      const checked = listRecords(changes, 'changes').map(({ record, path }) =>
        checkChange(record, path, this.#state.config),
      );
      return this.#write(async (draft) => {
        for (const change of checked) draft.put(this.#state, change.id, await this.#changed(draft, change));
        return { ids: checked.map(({ id }) => id) };
      });
    });
  }

  delete(which: string | string[] | { filter: Filter }): Promise<{ deleted: number }> {
    return this.#run(() => {
      if (typeof which === 'object' && which !== null && !Array.isArray(which))
        throw unsupported('deleting by filter', 'which.filter');
      const ids = checkIds(which, 'which');
      return this.#write((draft) => {
        let deleted = 0;
        for (const id of ids) {
          if (!draft.has(this.#state, id)) continue;
          draft.delete(this.#state, id);
          deleted++;
        }
        return { deleted };
      });
    });
  }

  get(id: string): Promise<StoredRecord<M> | undefined>;
  get(ids: string[]): Promise<(StoredRecord<M> | undefined)[]>;
  get(which: string | string[]): Promise<StoredRecord<M> | undefined | (StoredRecord<M> | undefined)[]> {
    return this.#run(async () => {
      const records = await this.#read(checkIds(which, Array.isArray(which) ? 'ids' : 'id'));
      return Array.isArray(which) ? records : records[0];
    });
  }

  count(filter?: Filter): Promise<number> {
    return this.#run(() => {
      if (filter !== undefined) throw unsupported('counting by filter', 'filter');
      return this.#state.rows.liveCount;
    });
  }

  async *scan(
    options: { filter?: Filter; batchSize?: number; include?: Include[] } = {},
  ): AsyncGenerator<StoredRecord<M>, void, undefined> {
    for await (const batch of this.scanBatches(options)) yield* batch;
  }

  /** As `scan`, a batch at a time: what crosses a thread. */
  async *scanBatches(
    options: { filter?: Filter; batchSize?: number; include?: Include[] } = {},
  ): AsyncGenerator<StoredRecord<M>[], void, undefined> {
    const { filter, batchSize = SCAN_BATCH_DEFAULT, include } = options;
    const scan = await this.#run(() => {
      if (filter !== undefined) throw unsupported('scanning by filter', 'options.filter');
      checkInteger(batchSize, 1, SCAN_BATCH_MAX, 'options.batchSize');
      const { metadata, vector } = checkInclude(include, ['vector', 'metadata'], 'options.include');
      return new Scan(this.#state, { body: metadata, vector });
    });
    try {
      for (;;) {
        const records = await this.#run(() => scan.next(batchSize));
        if (records.length === 0) return;
        yield records.map((record) => this.#publish(record.id, record));
      }
    } finally {
      scan.end();
    }
  }

  query(query: Query): Promise<Hit<M>[]> {
    return this.#run(async () => {
      const [hits] = await this.#answer([query], () => 'query');
      return hits!;
    });
  }

  queryMany(queries: Query[]): Promise<Hit<M>[][]> {
    return this.#run(() => {
      if (!Array.isArray(queries)) throw new IsovecError('INVALID_ARGUMENT', 'queries must be an array');
      return this.#answer(queries, (index) => `queries[${index}]`);
    });
  }

  async #answer(queries: Query[], pathOf: (index: number) => string): Promise<Hit<M>[][]> {
    const checked = queries.map((query, index) => checkQuery(query, pathOf(index), this.#state.config));
    const answers: Hit<M>[][] = [];
    for (const query of checked) {
      checkNotAborted(query.signal);
      answers.push((await runQuery(this.#state, query)) as Hit<M>[]);
      checkNotAborted(query.signal);
    }
    return answers;
  }

  /** What the caller may change later is copied before anything waits. */
  #put(
    records: RecordInput<M> | RecordInput<M>[],
    check: (draft: Draft, id: string, path: string) => void,
  ): Promise<{ ids: string[] }> {
    return this.#run(() => {
      const listed = listRecords(records, 'records');
      const checked = listed.map(({ record, path }) => checkRecord(record, path, this.#state.config));
      return this.#write((draft) => {
        for (const [index, { id, body, vector }] of checked.entries()) {
          check(draft, id, listed[index]!.path);
          draft.put(this.#state, id, { body, vector });
        }
        return { ids: checked.map(({ id }) => id) };
      });
    });
  }

  async #changed(draft: Draft, { id, path, vector, metadata }: CheckedChange): Promise<RawRecord> {
    const record = await draft.get(this.#state, id);
    if (!record)
      throw new IsovecError('NOT_FOUND', `${path}.id "${id}" is not there`, {
        details: { path: `${path}.id`, id },
      });
    return {
      vector: vector ?? record.vector,
      body: metadata ? mergeMetadata(record.body, metadata) : record.body,
    };
  }

  async #read(ids: string[]): Promise<(StoredRecord<M> | undefined)[]> {
    const encoder = new TextEncoder();
    const rows = ids.map((id) => this.#state.rows.find(encoder.encode(id)));
    const found = rows.filter((row) => row !== NO_ROW);
    const records = await this.#state.read(found, { body: true, vector: true });
    let at = 0;
    return rows.map((row, index) =>
      row === NO_ROW ? undefined : this.#publish(ids[index]!, records[at++]!),
    );
  }

  #publish(id: string, { body, vector }: Partial<RawRecord>): StoredRecord<M> {
    return {
      id,
      // A copy: what is held must not be changed by whoever gets it.
      vector: vector ? vector.slice() : new Float32Array(),
      metadata: (body ? decodeMetadata(body) : {}) as M,
    };
  }

  #write<T>(build: (draft: Draft) => Promise<T> | T): Promise<T> {
    return this.#engine.write((draft) => {
      // It may have been dropped while this waited.
      this.#checkThere();
      return build(draft);
    });
  }

  #run<T>(fn: () => Promise<T> | T): Promise<T> {
    return this.#session.run(() => {
      this.#checkThere();
      return fn();
    });
  }

  #checkThere(): void {
    if (this.#state.isDropped)
      throw new IsovecError('NOT_FOUND', `collection "${this.name}" has been dropped`, {
        details: { collection: this.name },
      });
  }
}

import { checkNotAborted } from '../base/abort.ts';
import type {
  Collection,
  CollectionInfo,
  ExplainedHits,
  ExplainedPage,
  Fields,
  Filter,
  Hit,
  HitPage,
  Metadata,
  PageQuery,
  Quantization,
  Query,
  RecommendQuery,
  RecordInput,
  StoredRecord,
  WriteOptions,
} from '../base/api.ts';
import { type Awaitable, whenThere } from '../base/awaitable.ts';
import { invalid } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import type { CollectionState } from './collection-state.ts';
import { copyOf } from './copy-of.ts';
import type { Draft } from './draft.ts';
import type { Engine } from './engine.ts';
import type { Maintenance } from './maintenance.ts';
import { deletion, insertion, type Mutation, updating, upsertion } from './mutations.ts';
import { runQuery } from './query.ts';
import { type CheckedQuery, checkQuery } from './query-plan.ts';
import type { OperationId } from './receipts.ts';
import { type Change, checkIds, publishRecord } from './records.ts';
import type { ScanBounds } from './scan.ts';
import type * as SeldomCalls from './seldom-calls.ts';
import type { Session } from './session.ts';
import type { RunningScan, ScanOptions } from './start-scan.ts';
import { checkWriteOptions } from './write-options.ts';

/** What a collection shares with its database. */
export interface CollectionOwner {
  engine: Engine;
  session: Session;
  maintenance: Maintenance;
}

/** The door to one collection: checks what comes in, and hands it on in the form that everything inside takes. */
export class LocalCollection<M extends Metadata> implements Collection<M> {
  readonly name: string;
  /** Never given to another collection of this database. */
  readonly id: number;
  readonly #state: CollectionState;
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #maintenance: Maintenance;
  readonly #operation: OperationId | undefined;
  /** That of the last query, for the copy of the next one's. */
  #spareVector: Float32Array<ArrayBuffer> | undefined;

  /** @param operation for a receipt of what is written through this door */
  constructor(
    state: CollectionState,
    { engine, session, maintenance }: CollectionOwner,
    operation?: OperationId,
  ) {
    this.name = state.name;
    this.id = state.id;
    this.#state = state;
    this.#engine = engine;
    this.#session = session;
    this.#maintenance = maintenance;
    this.#operation = operation;
  }

  info(): Promise<CollectionInfo> {
    return this.#run(async () => {
      await this.#refresh();
      return this.#state.info();
    });
  }

  insert(records: RecordInput<M> | RecordInput<M>[], options?: WriteOptions): Promise<{ ids: string[] }> {
    return this.#write(options, () => insertion(this.#state, records, this.#engine.pause));
  }

  upsert(records: RecordInput<M> | RecordInput<M>[], options?: WriteOptions): Promise<{ ids: string[] }> {
    return this.#write(options, () => upsertion(this.#state, records, this.#engine.pause));
  }

  update(changes: Change<M> | Change<M>[], options?: WriteOptions): Promise<{ ids: string[] }> {
    return this.#write(options, () => updating(this.#state, changes, this.#engine.pause));
  }

  delete(
    which: string | string[] | { filter: Filter },
    options?: WriteOptions,
  ): Promise<{ deleted: number }> {
    return this.#write(options, () => deletion(this.#state, which, this.#engine.pause));
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
    return this.#seldom('count', copyOf(filter)) as Promise<number>;
  }

  setQuantization(quantization: Quantization): Promise<void> {
    return this.#seldom('setQuantization', quantization) as Promise<void>;
  }

  setSchema(schema: object | undefined): Promise<void> {
    return this.#seldom('setSchema', copyOf(schema)) as Promise<void>;
  }

  setFields(fields: Fields): Promise<void> {
    return this.#seldom('setFields', copyOf(fields)) as Promise<void>;
  }

  async *scan(options: ScanOptions = {}): AsyncGenerator<StoredRecord<M>, void, undefined> {
    const scan = await this.startScan(options);
    try {
      for (;;) {
        const { records } = await scan.next();
        if (records.length === 0) return;
        yield* records;
      }
    } finally {
      scan.end();
    }
  }

  /**
   * As `scan`, a batch at a time: what crosses a thread.
   * @param bounds goes on with a scan that another writer of this database had begun
   */
  startScan(options: ScanOptions, bounds?: ScanBounds): Promise<RunningScan<M>> {
    return this.#seldom('startScan', { ...copyOf(options), bounds }) as Promise<RunningScan<M>>;
  }

  query(query: Query & { explain: true }): Promise<ExplainedHits<M>>;
  query(query: Query): Promise<Hit<M>[]>;
  async query(query: Query): Promise<Hit<M>[]> {
    const hits = this.queryAtOnce(query);
    return hits instanceof Promise ? await hits : hits;
  }

  /** As `query`, but for one that waits for nothing done when this returns. */
  queryAtOnce(query: Query): Awaitable<Hit<M>[]> {
    return this.#session.runAtOnce(() => {
      this.#checkThere();
      const vector = this.#spareVector;
      this.#spareVector = undefined;
      const checked = checkQuery(query, 'query', this.#state.config, { vector });
      const hits = whenThere(checked.filter, () =>
        whenThere(this.#refresh(), () => this.#answer(checked, runQuery)),
      );
      // Nobody else has it.
      if (!(hits instanceof Promise)) this.#spareVector = checked.vector;
      return hits;
    });
  }

  queryMany(queries: Query[]): Promise<Hit<M>[][]> {
    return this.#run(() => {
      if (!Array.isArray(queries)) throw invalid('queries', 'an array', queries);
      return this.#answerAll(queries);
    });
  }

  queryPage(query: PageQuery & { explain: true }): Promise<ExplainedPage<M>>;
  queryPage(query: PageQuery): Promise<HitPage<M>>;
  queryPage(query: PageQuery): Promise<HitPage<M>> {
    return this.#seldom('queryPage', copyOfQuery(query)) as Promise<HitPage<M>>;
  }

  recommend(query: RecommendQuery & { explain: true }): Promise<ExplainedHits<M>>;
  recommend(query: RecommendQuery): Promise<Hit<M>[]>;
  recommend(query: RecommendQuery): Promise<Hit<M>[]> {
    return this.#seldom('recommend', copyOfQuery(query)) as Promise<Hit<M>[]>;
  }

  /** What few call. @param given a copy */
  #seldom(method: keyof typeof SeldomCalls, given: unknown): Promise<unknown> {
    return this.#run(async () => {
      const { [method]: call } = (await import('./on-demand.ts')).seldomCalls;
      const called = {
        engine: this.#engine,
        state: this.#state,
        maintenance: this.#maintenance,
        refresh: () => this.#refresh(),
        run: this.#run.bind(this),
      };
      return call(called, given as never);
    });
  }

  async #answerAll(queries: Query[]): Promise<Hit<M>[][]> {
    const { config } = this.#state;
    const filters = new Map();
    const checked = queries.map((query, index) =>
      checkQuery(query, `queries[${index}]`, config, { filters }),
    );
    const answers: Hit<M>[][] = [];
    // An answer that is kept is of the state that its own query met.
    const isTogether = checked.length > 1 && !this.#engine.resultCache;
    const find = isTogether ? (await import('./on-demand.ts')).findTogether(checked) : runQuery;
    for (const { filter } of checked) if (filter) await filter;
    await this.#refresh();
    for (const query of checked) {
      const hits = this.#answer(query, find);
      answers.push(hits instanceof Promise ? await hits : hits);
    }
    return answers;
  }

  #answer(query: CheckedQuery, find: typeof runQuery): Awaitable<Hit<M>[]> {
    const { querying, resultCache: cache } = this.#engine;
    return whenThere(querying.begin(), () => {
      checkNotAborted(query.signal);
      const found = query.explain
        ? this.#explained(query, find)
        : cache
          ? cache.answer(this.#state, query, async () => find(this.#engine, this.#state, query))
          : find(this.#engine, this.#state, query);
      return whenThere(found, (hits) => {
        querying.end();
        checkNotAborted(query.signal);
        return hits as Hit<M>[];
      });
    });
  }

  async #explained(query: CheckedQuery, find: typeof runQuery): Promise<Hit[]> {
    const plan = new (await import('./on-demand.ts')).PlanRecorder();
    query.plan = plan;
    const hits = await find(this.#engine, this.#state, query);
    plan.explain(hits);
    return hits;
  }

  async #read(ids: string[]): Promise<(StoredRecord<M> | undefined)[]> {
    await this.#refresh();
    await this.#engine.findingIds;
    const encoder = new TextEncoder();
    const rows = ids.map((id) => this.#state.rows.find(encoder.encode(id)));
    const found = rows.filter((row) => row !== NO_ROW);
    const records = await this.#state.read(found, { body: true, vector: true });
    let at = 0;
    return rows.map((row, index) =>
      row === NO_ROW ? undefined : (publishRecord(ids[index]!, records[at++]!) as StoredRecord<M>),
    );
  }

  /** @param prepare checks and copies what was given, before anything waits */
  #write<T extends object>(options: WriteOptions | undefined, prepare: () => Mutation<T>): Promise<T> {
    return this.#run(() => {
      const turn = checkWriteOptions(options);
      const { bytes, apply } = prepare();
      const applyIfThere = async (draft: Draft) => {
        // It may have been dropped while this waited.
        this.#checkThere();
        const result = await apply(draft);
        const outcome = 'deleted' in result ? Number(result.deleted) : 0;
        if (this.#operation) draft.receipt = { ...this.#operation, outcome };
        return result;
      };
      return this.#engine.write({ bytes, apply: applyIfThere }, turn);
    });
  }

  #run<T>(fn: () => Awaitable<T>): Promise<T> {
    return this.#session.run(() => {
      this.#checkThere();
      return fn();
    });
  }

  /** Takes in what other processes have written: it may have been dropped, too. */
  #refresh(): Promise<void> | undefined {
    const refreshing = this.#engine.refresh();
    if (refreshing) return refreshing.then(() => this.#checkThere());
    this.#checkThere();
    return undefined;
  }

  #checkThere(): void {
    if (this.#state.isDropped) throw dropped(this.name);
  }
}

/** Of its vector only its own part of a buffer. */
function copyOfQuery(query: PageQuery | RecommendQuery): unknown {
  const { signal, vector, ...rest } = Object(query);
  return { ...copyOf(rest), signal, vector: vector?.slice?.() ?? vector };
}

export function dropped(name: string): IsovecError {
  return new IsovecError('NOT_FOUND', `collection "${name}" has been dropped`, {
    details: { collection: name },
  });
}

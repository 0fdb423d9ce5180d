/**
 * The best hits of each value of a field. Where the best hits have too few values, those that are known are shut out by a
 * filter and the rest is asked again: so there are as many groups as there can be, however large the best ones are. Hits by
 * words and vector are grouped as one ranking has them.
 */
import { checkNotAborted } from '../../base/abort.ts';
import type { Hit, Metadata } from '../../base/api.ts';
import type { Condition, Scalar } from '../../filter/condition.ts';
import { type CompiledFilter, filterBy } from '../../filter/filter.ts';
import type { CheckedQuery } from '../query-plan.ts';
import { asIncluded, type FindHits, isHybrid } from './selecting.ts';

export interface Grouping {
  /** Dotted, to the field. */
  path: string;
  /** Hits of a group. */
  size: number;
}

/** Hits asked for each that is wanted: documents of some ten passages often have several among the best. */
const CANDIDATES_PER_HIT = 3;
/** What has no group can stand before everything that has one: so much more is asked for then. */
const GROWTH = 4;

type Groups = Map<Scalar, Hit[]>;

export async function group(query: CheckedQuery, grouping: Grouping, find: FindHits): Promise<Hit[]> {
  const search = new GroupSearch(query, grouping, find);
  if (isHybrid(query)) await search.groupOneRanking();
  else {
    await search.findGroups();
    await search.fillGroups();
  }
  return asIncluded(search.hits(), query);
}

class GroupSearch {
  readonly #query: CheckedQuery;
  readonly #grouping: Grouping;
  readonly #find: FindHits;
  /** In the order in which they were found: the best first. */
  readonly #groups: Groups = new Map();
  /** Every hit that there is has been looked at. */
  #isAllSeen = false;

  constructor(query: CheckedQuery, grouping: Grouping, find: FindHits) {
    this.#query = { ...query, include: { ...query.include, metadata: true } };
    this.#grouping = grouping;
    this.#find = find;
  }

  hits(): Hit[] {
    return [...this.#groups.values()].slice(0, this.#query.topK).flat();
  }

  /** Of a query by words and vector: what is found with another filter is ranked among others, so scores say no more. */
  async groupOneRanking(): Promise<void> {
    const { topK } = this.#query;
    const { size } = this.#grouping;
    for (let count = topK * size * CANDIDATES_PER_HIT; ; count *= GROWTH) {
      const hits = await this.#find({ ...this.#query, topK: count });
      this.#groups.clear();
      for (const hit of hits) this.#take(hit, (groups) => groups.size < topK);
      const groups = [...this.#groups.values()];
      const isFull = groups.length === topK && groups.every((group) => group.length === size);
      if (isFull || hits.length < count) return;
    }
  }

  async findGroups(): Promise<void> {
    const { topK } = this.#query;
    const { size } = this.#grouping;
    let count = topK * size * CANDIDATES_PER_HIT;
    while (this.#groups.size < topK) {
      const known = this.#groups.size;
      const hits = await this.#ask(
        count,
        known === 0 ? undefined : this.#otherThan([...this.#groups.keys()]),
      );
      for (const hit of hits) this.#take(hit, (groups) => groups.size < topK);
      if (hits.length < count) {
        this.#isAllSeen = known === 0;
        return;
      }
      if (this.#groups.size === known) count *= GROWTH;
    }
  }

  /** Which groups there are is known; hits of theirs may stand behind all that has been seen. */
  async fillGroups(): Promise<void> {
    const { size } = this.#grouping;
    const exhausted = new Set<Scalar>();
    let count = 0;
    for (;;) {
      const lacking = [...this.#groups].filter(
        ([value, hits]) => hits.length < size && !exhausted.has(value),
      );
      if (this.#isAllSeen || lacking.length === 0) return;
      count = Math.max(count, lacking.length * size * CANDIDATES_PER_HIT);
      const values = lacking.map(([value]) => value);
      const hits = await this.#ask(count, this.#fieldIn(values));
      for (const value of values) this.#groups.set(value, []);
      for (const hit of hits) this.#take(hit, () => false);
      if (hits.length < count) for (const value of values) exhausted.add(value);
      else if (values.every((value) => this.#groups.get(value)!.length < size)) count *= GROWTH;
    }
  }

  async #ask(topK: number, further: Condition | undefined): Promise<Hit[]> {
    checkNotAborted(this.#query.signal);
    const { filter: given, ...query } = this.#query;
    if (!further) return this.#find({ ...this.#query, topK });
    const filter = filterBy(given ? both((await given).condition, further) : further);
    return this.#find({ ...query, topK, filter: Promise.resolve<CompiledFilter>(filter) });
  }

  #take(hit: Hit, mayBegin: (groups: Groups) => boolean): void {
    const value = valueAt(hit.metadata, this.#grouping.path);
    if (value === undefined) return;
    const hits = this.#groups.get(value) ?? [];
    if (!this.#groups.has(value)) {
      if (!mayBegin(this.#groups)) return;
      this.#groups.set(value, hits);
    }
    if (hits.length < this.#grouping.size) hits.push(hit);
  }

  #fieldIn(values: Scalar[]): Condition {
    return { kind: 'field', path: this.#grouping.path, test: { kind: 'in', values } };
  }

  /** Nor missing, which is null to a filter. */
  #otherThan(values: Scalar[]): Condition {
    return { kind: 'not', part: this.#fieldIn([null, ...values]) };
  }
}

function both(one: Condition, other: Condition): Condition {
  return { kind: 'and', parts: [one, other] };
}

/** @returns undefined where there is nothing to group by */
export function valueAt(metadata: Metadata, path: string): string | number | boolean | undefined {
  let value: unknown = metadata;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = (value as Metadata)[key];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined;
}

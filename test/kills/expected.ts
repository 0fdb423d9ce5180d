/** What may be in a database after a kill: the state after some step from the last that is promised to the last begun. */
import { type Metric, Model } from '../store/model.ts';
import { type Found, type FoundRecord, TOP_K } from './found.ts';
import { COLLECTIONS, LASTING, recordOf, type Step, stepOf } from './workload.ts';

const ROUNDING = 1e-4;

/** Which version of each record every collection holds. */
export class Expected {
  readonly #collections = new Map<string, Map<string, number>>(LASTING.map((name) => [name, new Map()]));

  apply({ kind, index, changes }: Step): void {
    if (kind === 'drop collection') this.#collections.delete('side');
    if (kind === 'create collection' && !this.#collections.has('side'))
      this.#collections.set('side', new Map());
    for (const { collection, puts, removals } of changes) {
      const versions = this.#collections.get(collection)!;
      for (const id of removals) versions.delete(id);
      for (const id of puts) versions.set(id, index);
    }
  }

  /** @returns what differs first, or undefined when nothing does */
  difference(found: readonly Found[]): string | undefined {
    const names = new Set([...this.#collections.keys(), ...found.map(({ name }) => name)]);
    for (const name of names) {
      const versions = this.#collections.get(name);
      const records = found.find((each) => each.name === name)?.records;
      // A first session may have been killed before it had made these.
      if (!records && versions?.size === 0 && LASTING.includes(name)) continue;
      if (!versions || !records) return `collection '${name}' is ${records ? '' : 'not '}there`;
      const differing = firstDifference(versions, records);
      if (differing !== undefined) return `in collection '${name}' ${differing}`;
    }
    return undefined;
  }
}

function firstDifference(
  versions: ReadonlyMap<string, number>,
  records: readonly FoundRecord[],
): string | undefined {
  for (const { id, metadata } of records)
    if (versions.get(id) !== metadata.version)
      return `'${id}' is of step ${metadata.version}, not of ${versions.get(id) ?? 'any'}`;
  if (records.length === versions.size) return undefined;
  const ids = new Set(records.map(({ id }) => id));
  const missing = [...versions].filter(([id]) => !ids.has(id));
  return `${missing.length} are missing, such as '${missing[0]?.[0]}' of step ${missing[0]?.[1]}`;
}

/** Moves a model on to what was found.
 *  @param promised how many steps must be there, from the first
 *  @param begun how many may be
 *  @returns how many steps are in what was found
 *  @throws when what was found is the state after none of them */
export function settle(
  expected: Expected,
  seed: number,
  from: number,
  promised: number,
  begun: number,
  found: readonly Found[],
): number {
  for (let index = from; index < promised; index++) expected.apply(stepOf(seed, index));
  const differences: string[] = [];
  for (let count = promised; ; count++) {
    const difference = expected.difference(found);
    if (difference === undefined) {
      checkWhole(found);
      return count;
    }
    differences.push(`not the state after ${count} steps: ${difference}`);
    if (count >= begun) break;
    expected.apply(stepOf(seed, count));
  }
  throw new Error(
    [`${promised} steps must be there and ${begun} may, but what is there is`, ...differences].join('\n'),
  );
}

/** Every record is as it was written, the count is right, and every answer is brute force's. */
function checkWhole(found: readonly Found[]): void {
  for (const { name, count, records, queries } of found) {
    const model = new Model();
    for (const record of records) {
      const asked = recordOf(name, record.id, Number(record.metadata.version));
      if (
        JSON.stringify([asked.metadata, Array.from(asked.vector)]) !==
        JSON.stringify([record.metadata, record.vector])
      )
        throw new Error(`'${record.id}' in '${name}' is not as it was written`);
      model.put(asked);
    }
    if (count !== records.length) throw new Error(`'${name}' counts ${count}, but has ${records.length}`);
    if (model.records.size !== count) throw new Error(`'${name}' has an id twice`);
    const metric: Metric = COLLECTIONS[name]!.metric ?? 'cosine';
    for (const { vector, exact, hits } of queries) {
      const query = Float32Array.from(vector);
      const nearest = model.distances(query, metric, exact ? TOP_K : count);
      if (hits.length !== Math.min(TOP_K, count))
        throw new Error(`'${name}' answers ${hits.length} of ${count} records`);
      for (const [rank, { id, distance }] of hits.entries()) {
        const one = new Model();
        const record = model.get(id);
        if (!record) throw new Error(`'${name}' answers '${id}', which is not there`);
        one.put(record);
        const own = one.distances(query, metric, 1)[0]!;
        if (Math.abs(own - distance) > ROUNDING || (exact && Math.abs(nearest[rank]! - distance) > ROUNDING))
          throw new Error(
            `'${name}' answers '${id}' at ${distance}; it is at ${own}, and rank ${rank} at ${nearest[rank]}`,
          );
      }
    }
  }
}

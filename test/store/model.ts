/** The plain model that every store is held against: a Map, and brute force. */
import { Query } from 'mingo';
import type { Filter, Metadata, RecordInput, StoredRecord } from '../../src/base/api.ts';

export type Metric = 'cosine' | 'dot' | 'euclidean';

interface ModelRecord {
  vector: Float32Array;
  metadata: Metadata;
}

export class Model {
  readonly records = new Map<string, ModelRecord>();

  /** What it holds, in another that can go its own way. */
  copy(): Model {
    const copy = new Model();
    for (const [id, record] of this.records) copy.records.set(id, record);
    return copy;
  }

  become(other: Model): void {
    this.records.clear();
    for (const [id, record] of other.records) this.records.set(id, record);
  }

  get ids(): string[] {
    return [...this.records.keys()];
  }

  put({ id, vector, metadata }: RecordInput & { id: string }): void {
    this.records.set(id, { vector: Float32Array.from(vector), metadata: metadata ?? {} });
  }

  update({ id, vector, metadata }: Partial<RecordInput> & { id: string }): void {
    const record = this.records.get(id)!;
    const merged = new Map(Object.entries(record.metadata));
    for (const [field, value] of Object.entries(metadata ?? {}))
      if (value === null || value === undefined) merged.delete(field);
      else merged.set(field, value);
    this.records.set(id, {
      vector: vector ? Float32Array.from(vector) : record.vector,
      metadata: Object.fromEntries(merged),
    });
  }

  get(id: string): StoredRecord | undefined {
    const record = this.records.get(id);
    return record && { id, ...record };
  }

  /** Of what matches, in order. */
  matching(filter: Filter): string[] {
    const query = new Query(filter as Record<string, unknown>);
    return this.ids.filter((id) => query.test(this.records.get(id)!.metadata));
  }

  /** Ascending distances of the nearest `topK`. */
  distances(query: Float32Array, metric: Metric, topK: number, filter: Filter = {}): number[] {
    return this.matching(filter)
      .map((id) => this.records.get(id)!)
      .map(({ vector }) => distance(query, vector, metric))
      .sort((a, b) => a - b)
      .slice(0, topK);
  }
}

export function distance(a: Float32Array, b: Float32Array, metric: Metric): number {
  let dot = 0;
  let squaresA = 0;
  let squaresB = 0;
  let differences = 0;
  for (let index = 0; index < a.length; index++) {
    const x = a[index]!;
    const y = b[index]!;
    dot += x * y;
    squaresA += x * x;
    squaresB += y * y;
    differences += (x - y) ** 2;
  }
  if (metric === 'dot') return -dot;
  return metric === 'cosine' ? 1 - dot / Math.sqrt(squaresA * squaresB) : Math.sqrt(differences);
}

import type { Collection, Database, OpenOptions, RecordInput } from '../../src/base/api.ts';

/** A runtime and a backend, by the public contract. */
export interface Store {
  name: string;
  open(location: string, options?: OpenOptions): Promise<Database>;
  destroy(location: string, options?: OpenOptions): Promise<void>;
  /** Several may have one database open for writing. */
  sharesWriting: boolean;
  /** Its engine holds the vectors themselves, and nothing else. */
  hasNoQuantization?: true;
  /** Of the property test: fewer where each run is slow. */
  propertyRuns: number;
}

export type Open = (location?: string, options?: OpenOptions) => Promise<Database>;
export type NewLocation = () => string;

export const three: RecordInput[] = [
  {
    id: 'x',
    vector: [1, 0, 0],
    metadata: { axis: 'x', tags: ['a', 'b'], nested: { deep: [1, null, true] } },
  },
  { id: 'y', vector: [0, 1, 0], metadata: { axis: 'y' } },
  { id: 'xy', vector: new Float32Array([1, 1, 0]) },
];

export async function withThree(database: Database): Promise<Collection> {
  const collection = await database.collection('three', { dimensions: 3 });
  await collection.insert(three);
  return collection;
}

/** The same for the same number, never zero, and spread like noise. */
export function vectorOf(seed: number, dimensions: number): number[] {
  return Array.from({ length: dimensions }, (_, index) =>
    Math.fround(Math.sin(seed * 12.9898 + index * 78.233) * 2),
  );
}

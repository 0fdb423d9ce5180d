/** What those tests have in common that ask in other ways than by one vector for the nearest. */
import type { Collection, Hit, Metadata, Query, RecordInput } from '../../src/base/api.ts';
import { vectorOf } from './fixture.ts';
import type { Metric } from './model.ts';

export const DIMENSIONS = 4;
export const METRICS: Metric[] = ['cosine', 'dot', 'euclidean'];

export type Given = RecordInput & { id: string; vector: number[]; metadata: Metadata };

/** Few different vectors, so that scores are equal; documents of very different length, and some records of none. */
export function records(count: number, seed = 0): Given[] {
  return Array.from({ length: count }, (_, index) => {
    const document = index % 7 === 0 ? undefined : `d${Math.floor(Math.sqrt(index))}`;
    return {
      id: `r${index}`,
      vector: vectorOf(1 + ((index * 7 + seed) % Math.ceil(count / 2)), DIMENSIONS),
      metadata: { in: { document }, even: index % 2 === 0 },
    };
  });
}

/** All of them. */
export async function pagesOf(
  collection: Collection,
  query: Query,
  between: () => Promise<unknown> = async () => {},
) {
  const pages: Hit[][] = [];
  let cursor: string | undefined;
  do {
    const page = await collection.queryPage({ ...query, ...(cursor !== undefined && { cursor }) });
    cursor = page.cursor;
    pages.push(page.hits);
    await between();
  } while (cursor !== undefined);
  return pages;
}

import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Collection, Database, Hit, PageQuery, Query } from '../../../src/base/api.ts';
import type { MemoryFiles } from '../../../src/storage/memory.ts';
import { openLocal } from '../../../src/store/open.ts';
import { vectorOf } from '../fixture.ts';
import { memoryPlatform } from '../memory-platform.ts';

const DIMENSIONS = 4;
const WORDS = ['ship', 'sea', 'storm', 'harbour', 'whale'];
const vector = vectorOf(1000.5, DIMENSIONS);

const fusion = fc.constantFrom<Query['fusion'][]>(
  undefined,
  { method: 'rrf', k: 1, vectorWeight: 0.3 },
  { method: 'weighted', vectorWeight: 0.5 },
  { method: 'rrf', candidates: 3 },
  { method: 'weighted', vectorWeight: 0.3, candidates: 20 },
);
/** More than either side is asked for at first. */
const count = fc.integer({ min: 120, max: 700 });

describe('a query by words and vector', () => {
  const platform = memoryPlatform(new Map<string, MemoryFiles>());
  let database: Database;
  let locations = 0;

  afterEach(() => database.close());

  async function open(resultCache = false): Promise<void> {
    database = await openLocal(platform, `hybrid-${++locations}`, { resultCache });
  }

  let collections = 0;
  async function withRecords(records: number, seed: number): Promise<Collection> {
    const collection = await database.collection(`c${++collections}`, { dimensions: DIMENSIONS, text: true });
    await collection.insert(
      Array.from({ length: records }, (_, at) => ({
        id: `r${at}`,
        vector: vectorOf(1 + at * seed, DIMENSIONS),
        // Half of them in one document, so that others are found behind it.
        metadata: { document: at % 2 ? 'big' : `d${at % 23}` },
        text: `${WORDS[(at * seed) % 5]} ${'calm '.repeat(at % 9)}`,
      })),
    );
    // What a graph finds changes while it is being built.
    await expect.poll(async () => (await collection.info()).indexed, { timeout: 60_000 }).toBe(records);
    return collection;
  }

  it('gives all that there is by pages, each once, best first', async () => {
    await open();
    await fc.assert(
      fc.asyncProperty(
        fusion,
        count,
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (by, records, seed, exact) => {
          const collection = await withRecords(records, seed);
          const query = { vector, text: 'storm sea', exact, ...(by && { fusion: by }) };
          const hits = await pagesOf(collection, { ...query, topK: 40 });
          const all = await collection.query({ ...query, topK: 10_000 });
          expect(hits.map(({ score }) => score)).toEqual(all.map(({ score }) => score));
          expect(hits.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
          if (exact) expect(hits).toHaveLength(records);
        },
      ),
      { numRuns: 12, seed: 20_261_121 },
    );
  });

  it('begins with the same hits however many are asked for', async () => {
    await open();
    await fc.assert(
      fc.asyncProperty(
        fusion,
        count,
        fc.array(fc.integer({ min: 1, max: 800 }), { minLength: 3, maxLength: 3 }),
        fc.boolean(),
        async (by, records, counts, exact) => {
          const collection = await withRecords(records, 7);
          const query = { vector, text: 'storm sea', exact, ...(by && { fusion: by }) };
          const all = await collection.query({ ...query, topK: 10_000 });
          for (const [at, { score }] of all.slice(1).entries())
            expect(score).toBeLessThanOrEqual(all[at]!.score);
          for (const topK of counts)
            expect(await collection.query({ ...query, topK })).toEqual(all.slice(0, topK));
          const { hits } = await collection.queryPage({ ...query, topK: 50 });
          expect(hits.map(({ score }) => score)).toEqual(all.slice(0, 50).map(({ score }) => score));
        },
      ),
      { numRuns: 12, seed: 20_261_121 },
    );
  });

  it('ranks ten times as many behind the best by either, and so on', async () => {
    await open();
    const collection = await withRecords(700, 7);
    const query = { exact: true, include: [] };
    const ranking: { id: string; score: number }[] = [];
    for (const topK of [5, 50, 500, 5000]) {
      const sides = [await collection.query({ ...query, vector, topK })];
      sides.push(await collection.query({ ...query, text: 'storm sea', topK }));
      const scores = new Map<string, number>();
      for (const side of sides)
        for (const [at, { id }] of side.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (60 + at + 1));
      for (const { id } of ranking) scores.delete(id);
      const last = ranking.at(-1)?.score ?? Number.POSITIVE_INFINITY;
      const factor = 2 ** Math.floor(Math.log2(Math.min(1, last / Math.max(...scores.values()))));
      const stage = [...scores].map(([id, score]) => ({ id, score: score * factor }));
      ranking.push(...stage.sort((a, b) => b.score - a.score));
    }
    const fusion = { method: 'rrf' as const, candidates: 5 };
    const hits = await collection.query({ ...query, vector, text: 'storm sea', topK: 10_000, fusion });
    expect(hits.length).toBe(ranking.length);
    const expected = new Map(ranking.map(({ id, score }) => [id, score]));
    for (const [at, { id, score }] of hits.entries()) {
      expect(score).toBeCloseTo(ranking[at]!.score, 12);
      expect(score).toBeCloseTo(expected.get(id)!, 12);
    }
  });

  it('is grouped as the one ranking has its hits', async () => {
    await open();
    await fc.assert(
      fc.asyncProperty(
        fusion,
        count,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 20 }),
        async (by, records, topK, groupSize) => {
          const collection = await withRecords(records, 7);
          const query = { vector, text: 'storm sea', exact: true, ...(by && { fusion: by }) };
          const groups = new Map<unknown, Hit[]>();
          for (const hit of await collection.query({ ...query, topK: 10_000 })) {
            const { document } = hit.metadata;
            if (!groups.has(document) && groups.size === topK) continue;
            const group = groups.get(document) ?? [];
            if (group.length < groupSize) groups.set(document, [...group, hit]);
          }
          expect(await collection.query({ ...query, topK, groupBy: 'document', groupSize })).toEqual(
            [...groups.values()].flat(),
          );
        },
      ),
      { numRuns: 12, seed: 20_261_121 },
    );
  });

  it('is the same query to a cursor and to kept answers however it is written', async () => {
    await open(true);
    const collection = await withRecords(150, 3);
    const given: PageQuery = { vector, text: 'storm sea', fusion: { method: 'rrf' }, exact: true };
    const same: PageQuery = {
      exact: true,
      fusion: { candidates: 100, vectorWeight: 0.5, k: 60, method: 'rrf' },
      textOptions: { operator: 'or', prefix: false, fuzzy: false },
      text: 'storm sea',
      minScore: Number.NEGATIVE_INFINITY,
      vector,
    };
    const { cursor } = await collection.queryPage(given);
    expect(await collection.queryPage({ ...same, cursor: cursor! })).toEqual(
      await collection.queryPage({ ...given, cursor: cursor! }),
    );
    await expect(
      collection.queryPage({ ...given, minScore: Number.POSITIVE_INFINITY, cursor: cursor! }),
    ).rejects.toMatchObject({ details: { path: 'query.cursor' } });
    expect(await collection.query(same)).toEqual(await collection.query(given));
    expect((await database.stats()).cache).toMatchObject({ hits: 1, misses: 1 });
  });

  it('refuses what cannot be written down, naming the place', async () => {
    await open(true);
    const collection = await withRecords(10, 3);
    const circle: { itself?: unknown } = {};
    circle.itself = circle;
    for (const [bad, path] of [
      [{ minScore: 5n }, 'query.minScore'],
      [{ fusion: { method: 'weighted', vectorWeight: 1n } }, 'query.fusion.vectorWeight'],
      [{ textOptions: circle }, 'query.textOptions.itself'],
      [{ textOptions: { fuzzy: circle } }, 'query.textOptions.fuzzy'],
      [{ groupBy: circle }, 'query.groupBy'],
      [{ groupBy: 'document', groupSize: 2n }, 'query.groupSize'],
    ] as const) {
      const refusal = { code: 'INVALID_ARGUMENT', details: { path } };
      const query = { vector, text: 'storm', ...bad } as never;
      await expect(collection.query(query)).rejects.toMatchObject(refusal);
      if (!('groupBy' in bad)) await expect(collection.queryPage(query)).rejects.toMatchObject(refusal);
    }
  });
});

async function pagesOf(collection: Collection, query: PageQuery): Promise<Hit[]> {
  const hits: Hit[] = [];
  let cursor: string | undefined;
  do {
    const page = await collection.queryPage({ ...query, ...(cursor !== undefined && { cursor }) });
    hits.push(...page.hits);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return hits;
}

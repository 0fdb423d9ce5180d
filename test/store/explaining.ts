import { expect, it } from 'vitest';
import type { Collection, ExplainedHits, ExplainedPage, Filter, Quantization } from '../../src/base/api.ts';
import { type Open, type Store, vectorOf } from './fixture.ts';

const DIMENSIONS = 8;
const RECORDS = 3000;

async function filled(open: Open, quantization: Quantization, type: 'hnsw' | 'flat'): Promise<Collection> {
  const config = { dimensions: DIMENSIONS, metric: 'euclidean' as const, quantization };
  const index = { type, efSearch: 16, m: 8, efConstruction: 60 };
  const collection = await (await open()).collection('c', { ...config, index, fields: { share: 'number' } });
  await collection.insert(
    Array.from({ length: RECORDS }, (_, id) => ({
      id: `r${id}`,
      vector: vectorOf(id + 1, DIMENSIONS),
      metadata: { share: (id * 7919) % 100, x: Math.sign(vectorOf(id + 1, DIMENSIONS)[0]!) },
    })),
  );
  if (type === 'hnsw')
    await expect.poll(async () => (await collection.info()).indexed, { timeout: 60_000 }).toBe(RECORDS);
  return collection;
}

/** How queries are answered, by the public contract, whoever stores the records. */
export function explaining(open: Open, { hasNoQuantization }: Store): void {
  const kinds: [Quantization, 'hnsw' | 'flat'][] = [
    ['none', 'hnsw'],
    ['none', 'flat'],
    ['int8', 'hnsw'],
  ];
  it.each(hasNoQuantization ? kinds.slice(0, 1) : kinds)(
    'explains a query, which always gives the nearest that match (quantization %s, %s)',
    async (quantization, type) => {
      const collection = await filled(open, quantization, type);
      const query = { vector: vectorOf(77, DIMENSIONS), explain: true as const };
      const explain = (filter: Filter, exact = false) => collection.query({ ...query, filter, exact });
      const shares = [0, 1, 20, 50, 90, 100];
      for (const share of shares) {
        const filter = { share: { $lt: share } };
        const hits: ExplainedHits = await explain(filter);
        const right = await explain(filter, true);
        expect(right.plan).toMatchObject({
          strategy: 'exact',
          exact: true,
          matched: (RECORDS * share) / 100,
        });
        expect(hits.length).toBe(right.length);
        const found = hits.filter(({ id }) => right.some((each) => each.id === id)).length;
        expect(found).toBeGreaterThanOrEqual(0.8 * right.length);
        for (const { metadata } of hits) expect(metadata.share).toBeLessThan(share);
        const { plan } = hits;
        expect(plan.matched).toBe((RECORDS * share) / 100);
        expect([plan.indexedFields, plan.unindexedFields]).toEqual([['share'], []]);
        expect(plan.candidates).toBeGreaterThanOrEqual(hits.length);
        expect(Object.keys(plan.milliseconds).sort()).toEqual(
          quantization === 'none' ? ['filter', 'read', 'search'] : ['filter', 'rank', 'read', 'search'],
        );
        expect(Object.values(plan.milliseconds).every((each) => each >= 0)).toBe(true);
      }
      // An index that is calibrated anew takes the old one's place with vectors that have yet to be linked.
      const isLinked = { timeout: 60_000 };
      const strategies = async () => {
        const found = new Set<string>();
        for (const share of shares) found.add((await explain({ share: { $lt: share } })).plan.strategy);
        return [...found].sort();
      };
      const isWalked = type === 'hnsw' && !hasNoQuantization;
      await expect.poll(strategies, isLinked).toEqual(isWalked ? ['exact', 'post-filter'] : ['exact']);
      const strategyOf = async () => (await collection.query(query)).plan.strategy;
      await expect.poll(strategyOf, isLinked).toBe(type === 'flat' ? 'scan' : 'walk');
      const [plain, all] = [await collection.query(query), await collection.query({ ...query, exact: true })];
      expect(all.plan).toMatchObject({ strategy: 'scan', exact: true, candidates: RECORDS });
      expect(plain.plan).not.toHaveProperty('matched');
      const { plan } = await explain({ share: 5, x: 1 });
      expect([plan.indexedFields, plan.unindexedFields]).toEqual([['share'], ['x']]);
      expect(await collection.query({ vector: query.vector })).not.toHaveProperty('plan');
      expect(
        (await collection.queryMany([query, { vector: query.vector }])).map((hits) => 'plan' in hits),
      ).toEqual([true, false]);
      await expect(collection.query({ ...query, explain: 'yes' as never })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { path: 'query.explain' },
      });
    },
    120_000,
  );

  it('explains each page of a query, and what is recommended', async () => {
    const collection = await filled(open, 'none', 'flat');
    const query = { vector: vectorOf(77, DIMENSIONS), topK: 100, filter: { share: { $lt: 10 } } };
    const first = await collection.queryPage(query);
    const explained: ExplainedPage = await collection.queryPage({ ...query, explain: true });
    expect(explained).toEqual({ ...first, hits: Object.assign(first.hits, { plan: explained.hits.plan }) });
    expect(await collection.queryPage(query)).not.toHaveProperty('hits.plan');
    const second = await collection.queryPage({ ...query, cursor: first.cursor!, explain: true });
    const last = await collection.queryPage({ ...query, topK: 300, cursor: second.cursor!, explain: true });
    expect(last.cursor).toBeUndefined();
    for (const { plan } of [explained.hits, second.hits, last.hits]) {
      expect(plan).toMatchObject({ strategy: 'exact', exact: true, matched: RECORDS / 10 });
      expect(plan.indexedFields).toEqual(['share']);
      expect(Object.keys(plan.milliseconds).sort()).toEqual(['filter', 'read', 'search']);
    }
    const asked = { positive: ['r1', 'r2'], negative: ['r3'], filter: query.filter };
    const plain = await collection.recommend(asked);
    const recommended: ExplainedHits = await collection.recommend({ ...asked, explain: true });
    expect(plain).not.toHaveProperty('plan');
    expect([...recommended]).toEqual(plain);
    expect(recommended.plan).toMatchObject({ strategy: 'exact', exact: true, matched: RECORDS / 10 });
    const stages = Object.keys(recommended.plan.milliseconds).sort();
    expect(stages).toEqual(['examples', 'filter', 'read', 'search']);
    const varied = await collection.recommend({ ...asked, diversity: 0.5, explain: true });
    expect(varied.plan.matched).toBe(RECORDS / 10);
  }, 120_000);

  it('explains what words had a part in, and how long they took', async () => {
    const collection = await (await open()).collection('words', { dimensions: 2, text: true });
    await collection.insert(
      ['red apples', 'green pears', 'red cherries'].map((text, at) => ({
        vector: [1, at],
        text,
        metadata: { at },
      })),
    );
    const asked = { text: 'red', filter: { at: { $lt: 2 } }, explain: true as const };
    const byWords = await collection.query(asked);
    const byBoth = await collection.query({ ...asked, vector: [1, 0] });
    expect(byWords.plan).toMatchObject({ strategy: 'text', exact: true, matched: 2 });
    expect(byWords.plan).not.toHaveProperty('fusion');
    expect(byBoth.plan).toMatchObject({ strategy: 'exact', fusion: 'rrf', matched: 2 });
    for (const { plan } of [byWords, byBoth]) expect(plan.milliseconds).toHaveProperty('text');
  });

  it('answers exactly where a walk finds too little, because what matches lies far from the query', async () => {
    const collection = await (await open()).collection('far', { dimensions: 2, metric: 'euclidean' });
    const count = 4000;
    await collection.insert(
      Array.from({ length: count }, (_, id) => ({
        id: `r${id}`,
        vector: [id, 1],
        metadata: { half: id < count / 2 ? 'near' : 'far' },
      })),
    );
    await expect.poll(async () => (await collection.info()).indexed, { timeout: 60_000 }).toBe(count);
    const hits = await collection.query({ vector: [0, 1], ef: 16, filter: { half: 'far' }, explain: true });
    expect(hits.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, at) => `r${count / 2 + at}`));
    expect(hits.plan).toMatchObject({ strategy: 'exact', exact: true });
    if (!hasNoQuantization) expect(hits.plan.isFallback).toBe(true);
  }, 120_000);
}

/** What is asked in other ways than by one vector for the nearest, whoever answers. */
import { expect, it } from 'vitest';
import type { Hit, Metadata, Query } from '../../src/base/api.ts';
import { DIMENSIONS, METRICS, pagesOf, records } from './asking.ts';
import { type Open, vectorOf, withThree } from './fixture.ts';
import { distance, type Metric } from './model.ts';

/** As `diversity` chooses, said plainly. */
function mostRelevant(candidates: Hit[], topK: number, diversity: number, metric: Metric): string[] {
  const score = (a: Hit, b: Hit) => scoreOf(distance(a.vector!, b.vector!, metric), metric);
  const chosen = candidates.slice(0, 1);
  while (chosen.length < Math.min(topK, candidates.length)) {
    const rated = candidates
      .filter((hit) => !chosen.includes(hit))
      .map((hit) => {
        const alike = Math.max(...chosen.map((other) => score(hit, other)));
        return { hit, value: (1 - diversity) * hit.score - diversity * alike };
      });
    chosen.push(rated.reduce((best, each) => (each.value > best.value + 1e-6 ? each : best)).hit);
  }
  return chosen.map(({ id }) => id);
}

function scoreOf(apart: number, metric: Metric): number {
  if (metric === 'euclidean') return 1 / (1 + apart);
  return metric === 'dot' ? -apart : 1 - apart;
}

export function reading(open: Open): void {
  it('gives the best hits of each value of a field, of as many values as are wanted', async () => {
    const database = await open();
    const collection = await database.collection('c', { dimensions: DIMENSIONS, metric: 'euclidean' });
    const given = records(300);
    // Very many of one document, and of none, before all others.
    for (let index = 0; index < 200; index++)
      given.push({
        id: `n${index}`,
        vector: vectorOf(3, DIMENSIONS),
        metadata: { in: { document: [1, null, 'same', ['same'], 'same'][index % 5] } },
      });
    await collection.insert(given);
    const all = { vector: vectorOf(3, DIMENSIONS), topK: 1000, exact: true };
    for (const filter of [undefined, { even: true }]) {
      const hits = await collection.query({ ...all, ...(filter && { filter }) });
      for (const [topK, groupSize] of [
        [1, 1],
        [5, 1],
        [5, 3],
        [30, 2],
        [200, 5],
      ] as const) {
        const groups = new Map<unknown, number[]>();
        for (const { score, metadata } of hits) {
          const value = (metadata.in as Metadata).document;
          if (typeof value !== 'string' && typeof value !== 'number') continue;
          if (!groups.has(value) && groups.size === topK) continue;
          const scores = groups.get(value) ?? [];
          if (scores.length < groupSize) groups.set(value, [...scores, score]);
        }
        const query = { ...all, topK, groupBy: 'in.document', groupSize, ...(filter && { filter }) };
        const grouped = await collection.query({ ...query, include: ['metadata'] });
        expect(grouped.map(({ score }) => score)).toEqual([...groups.values()].flat());
        const values = grouped.map(({ metadata }) => (metadata.in as Metadata).document);
        // Of values whose best hits are equally good any may be chosen.
        expect(new Set(values).size).toBe(groups.size);
        expect(new Set(grouped.map(({ id }) => id)).size).toBe(grouped.length);
        const [bare] = await collection.query({ ...query, include: [] });
        expect(bare!.metadata).toEqual({});
      }
    }
  });

  it.each(METRICS)('chooses hits that differ, as maximal marginal relevance says (%s)', async (metric) => {
    const database = await open();
    const collection = await database.collection('c', { dimensions: DIMENSIONS, metric });
    await collection.insert(
      Array.from({ length: 300 }, (_, at) => ({ id: `${at}`, vector: vectorOf(at + 1, DIMENSIONS) })),
    );
    // Of none of them: to one, likeness and relevance would be the same.
    const query = { vector: vectorOf(1000.5, DIMENSIONS), exact: true };
    for (const topK of [1, 5, 20]) {
      const candidates = await collection.query({
        ...query,
        topK: Math.max(40, topK * 4),
        include: ['vector'],
      });
      for (const diversity of [0.2, 0.5, 1]) {
        const hits = await collection.query({ ...query, topK, diversity });
        expect(hits.map(({ id }) => id)).toEqual(mostRelevant(candidates, topK, diversity, metric));
        expect(hits[0]).not.toHaveProperty('vector');
      }
      expect(await collection.query({ ...query, topK, diversity: 0 })).toEqual(
        await collection.query({ ...query, topK }),
      );
    }
  });

  it.each(METRICS)(
    'recommends what is like some records and unlike others, but none of them (%s)',
    async (metric) => {
      const database = await open();
      const collection = await database.collection('c', { dimensions: DIMENSIONS, metric });
      const given = records(100);
      await collection.insert(given);
      const average = (ids: string[]) => {
        const sum = Array<number>(DIMENSIONS).fill(0);
        for (const id of ids) {
          const { vector } = given.find((each) => each.id === id)!;
          const length = metric === 'cosine' ? Math.hypot(...vector) : 1;
          for (const [at, component] of vector.entries()) sum[at]! += component / length / ids.length;
        }
        return sum;
      };
      const positive = ['r3', 'r10', 'r71'];
      const negative = ['r20', 'r3'];
      const expected = async (vector: number[], examples: string[], options: Partial<Query> = {}) => {
        const hits = await collection.query({ vector, topK: 100, exact: true, ...options });
        return hits.filter(({ id }) => !examples.includes(id)).slice(0, 10);
      };
      const scores = (hits: Hit[]) => hits.map(({ score }) => expect.closeTo(score, 4));
      const liked = await collection.recommend({ positive, exact: true });
      expect(liked.map(({ score }) => score)).toEqual(scores(await expected(average(positive), positive)));
      const disliked = average(negative);
      const away = average(positive).map((component, at) => 2 * component - disliked[at]!);
      const filter = { even: false };
      const found = await collection.recommend({ positive, negative, exact: true, filter });
      expect(found.map(({ score }) => score)).toEqual(
        scores(await expected(away, [...positive, ...negative], { filter })),
      );
      const grouped = await collection.recommend({ positive, groupBy: 'even', topK: 5 });
      expect(grouped.map(({ metadata }) => metadata.even).sort()).toEqual([false, true]);
      expect(grouped.some(({ id }) => positive.includes(id))).toBe(false);
    },
  );

  it('keeps answers for queries that are asked again, where that is wanted, until something is written', async () => {
    const database = await open(undefined, { resultCache: true });
    const collection = await withThree(database);
    const query: Query = { vector: [1, 0.5, 0], include: ['vector', 'metadata'] };
    const first = await collection.query(query);
    expect(await collection.queryMany([query, query])).toEqual([first, first]);
    expect((await database.stats()).cache).toMatchObject({
      hits: 2,
      misses: 1,
      hitRatio: 2 / 3,
      entries: 1,
    });
    await collection.delete('x');
    expect(await collection.query(query)).toEqual(first.filter(({ id }) => id !== 'x'));
    expect((await database.stats()).cache).toMatchObject({ hits: 2, misses: 2, hitRatio: 0.5 });
    const without = await open();
    expect((await without.stats()).cache).toEqual({ hits: 0, misses: 0, hitRatio: 0, entries: 0, bytes: 0 });
  });

  it('does all of that with what words find, too, and with words and vectors', async () => {
    const database = await open(undefined, { resultCache: true });
    const collection = await database.collection('c', { dimensions: DIMENSIONS, text: true });
    const words = ['ship', 'sea', 'storm', 'harbour', 'whale'];
    await collection.insert(
      records(60).map((given, at) => ({ ...given, text: `${words[at % 5]} ${words[at % 3]} sea` })),
    );
    const vector = vectorOf(1000.5, DIMENSIONS);
    for (const query of [{ text: 'storm sea' }, { text: 'storm sea', vector }]) {
      const all = await collection.query({ ...query, topK: 100 });
      expect(all).toHaveLength(60);
      const pages = await pagesOf(collection, { ...query, topK: 7 });
      expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(60);
      const grouped = await collection.query({
        ...query,
        topK: 7,
        groupBy: 'in.document',
        include: ['text'],
      });
      expect(grouped).toHaveLength(7);
      expect(grouped.every(({ text, metadata }) => text && Object.keys(metadata).length === 0)).toBe(true);
      const diverse = await collection.query({ ...query, topK: 7, diversity: 0.5 });
      expect(new Set(diverse.map(({ id }) => id)).size).toBe(7);
      expect(await collection.query({ ...query, topK: 7, diversity: 0.5 })).toEqual(diverse);
      expect(diverse).not.toEqual(await collection.query({ ...query, topK: 7 }));
    }
    const recommended = await collection.recommend({ positive: ['r5'], text: 'whale', topK: 5 });
    expect(recommended).toHaveLength(5);
    expect((await database.stats()).cache.hits).toBe(2);
  });

  it('scans what matches once, as it is by then, whatever is written and compacted meanwhile', async () => {
    const database = await open();
    const collection = await database.collection<Metadata>('c', { dimensions: DIMENSIONS });
    const given = records(300);
    await collection.insert(given);
    await database.checkpoint();
    const seen: string[] = [];
    const scan = collection.scan({ filter: { even: true }, batchSize: 7, include: ['metadata'] });
    for await (const { id, metadata, vector } of scan) {
      expect(metadata.even).toBe(true);
      expect(vector).toHaveLength(0);
      seen.push(id);
      if (seen.length === 20) {
        await collection.delete(['r100', 'r0']);
        await collection.update([
          { id: 'r102', metadata: { even: false } },
          { id: 'r103', metadata: { even: true } },
          { id: 'r2', metadata: { seen: true } },
        ]);
        await collection.insert({ id: 'new', vector: vectorOf(1, DIMENSIONS), metadata: { even: true } });
        await collection.delete('r104');
        await collection.insert({ ...given[104]!, metadata: { even: true } });
        await database.compact();
      }
    }
    const expected = given.filter(({ metadata }) => metadata.even).map(({ id }) => id);
    const gone = ['r100', 'r102', 'r104'];
    expect(seen.sort()).toEqual([...expected.filter((id) => !gone.includes(id)), 'r103'].sort());
  });

  it('refuses what cannot be asked, naming the place', async () => {
    const collection = await withThree(await open());
    const bad: [object, string][] = [
      [{ groupBy: '' }, 'query.groupBy'],
      [{ groupBy: 1 }, 'query.groupBy'],
      [{ groupBy: 'a', groupSize: 0 }, 'query.groupSize'],
      [{ groupBy: 'a', groupSize: 5000 }, 'query.groupSize'],
      [{ groupSize: 2 }, 'query.groupSize'],
      [{ diversity: 1.5 }, 'query.diversity'],
      [{ diversity: Number.NaN }, 'query.diversity'],
      [{ groupBy: 'a', diversity: 0.5 }, 'query.diversity'],
      [{ filters: { axis: 'x' } }, 'query.filters'],
      [{ cursor: 'x' }, 'query.cursor'],
    ];
    for (const [options, path] of bad)
      await expect(collection.query({ vector: [1, 0, 0], ...options })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { path },
      });
    const many = collection.queryMany([{ vector: [1, 0, 0] }, { vector: [1, 0, 0], diversity: -1 }]);
    await expect(many).rejects.toMatchObject({ details: { path: 'queries[1].diversity' } });
    const examples: [unknown, string, string][] = [
      [{}, 'INVALID_ARGUMENT', 'query.positive'],
      [{ positive: [] }, 'INVALID_ARGUMENT', 'query.positive'],
      [{ positive: ['x', 7] }, 'INVALID_ARGUMENT', 'query.positive[1]'],
      [{ positive: ['x'], negative: 'y' }, 'INVALID_ARGUMENT', 'query.negative'],
      [{ positive: ['x', 'nobody'] }, 'NOT_FOUND', 'query.positive[1]'],
      [{ positive: ['x'], topK: 0 }, 'INVALID_ARGUMENT', 'query.topK'],
      [{ positive: ['x'], vector: [1, 0, 0] }, 'INVALID_ARGUMENT', 'query.vector'],
      [{ positive: ['x'], limit: 2 }, 'INVALID_ARGUMENT', 'query.limit'],
    ];
    for (const [query, code, path] of examples)
      await expect(collection.recommend(query as never)).rejects.toMatchObject({ code, details: { path } });
    await expect(collection.queryPage({ vector: [1, 0, 0], limit: 2 } as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path: 'query.limit' },
    });
    for (const none of [null, undefined, { vector: [1, 0, 0] }])
      await expect(collection.queryMany(none as never)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { path: 'queries' },
      });
    const unsaid = { vector: [1, 0, 0], filters: undefined, cursor: undefined } as Query;
    expect(await collection.query(unsaid)).toHaveLength(3);
    await collection.insert({ id: '-x', vector: [-1, 0, 0] });
    const nowhere = collection.recommend({ positive: ['x', '-x'] });
    await expect(nowhere).rejects.toMatchObject({ code: 'INVALID_VECTOR' });
  });
}

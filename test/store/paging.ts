/** Answers page by page, whoever gives them. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { DIMENSIONS, METRICS, pagesOf, records } from './asking.ts';
import { type Open, type Store, vectorOf, withThree } from './fixture.ts';

export function paging(open: Open, { propertyRuns }: Store): void {
  it.each(METRICS)('gives a query page by page, all of it and nothing twice (%s)', async (metric) => {
    const database = await open();
    const collection = await database.collection('c', {
      dimensions: DIMENSIONS,
      metric,
      index: { type: 'flat' },
    });
    await collection.insert(records(150));
    const query = { vector: vectorOf(3, DIMENSIONS), topK: 1000, filter: { even: true } };
    const all = await collection.query(query);
    for (const topK of [1, 7, 75, 100]) {
      const pages = await pagesOf(collection, { ...query, topK, include: ['metadata', 'vector'] });
      expect(pages.flat().map(({ score }) => score)).toEqual(all.map(({ score }) => score));
      expect(
        pages
          .flat()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(all.map(({ id }) => id).sort());
      expect(pages.slice(0, -1).every((hits) => hits.length === topK)).toBe(true);
      expect(pages[0]![0]!.vector).toHaveLength(DIMENSIONS);
      if (topK === 7) await database.checkpoint();
    }
    expect(await collection.queryPage({ ...query, filter: { none: 1 } })).toEqual({ hits: [] });
    const good = await pagesOf(collection, { ...query, topK: 10, minScore: all[30]!.score });
    expect(good.flat().length).toBe(all.filter(({ score }) => score >= all[30]!.score).length);
  });

  it('gives what stays as it is once, whatever is written between the pages', async () => {
    const write = fc.record({
      delete: fc.nat(99),
      upsert: fc.nat(149),
      seed: fc.integer({ min: 1, max: 60 }),
    });
    const database = await open();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 40 }),
        fc.integer({ min: 3, max: 20 }),
        async (writes, topK) => {
          const collection = await database.collection(`c${count++}`, {
            dimensions: DIMENSIONS,
            metric: 'dot',
          });
          await collection.insert(records(100));
          const touched = new Set<string>();
          const left = [...writes];
          const between = async () => {
            for (const { delete: gone, upsert, seed } of left.splice(0, 2)) {
              touched.add(`r${gone}`).add(`r${upsert}`);
              await collection.delete(`r${gone}`);
              await collection.upsert({ id: `r${upsert}`, vector: vectorOf(seed, DIMENSIONS) });
            }
          };
          const query = { vector: vectorOf(3, DIMENSIONS), topK, exact: true };
          const seen = (await pagesOf(collection, query, between)).flat();
          const stayed = seen.filter(({ id }) => !touched.has(id));
          expect(stayed.map(({ id }) => id).sort()).toEqual(
            records(100)
              .map(({ id }) => id)
              .filter((id) => !touched.has(id))
              .sort(),
          );
          expect(stayed.map(({ score }) => score)).toEqual(
            stayed.map(({ score }) => score).sort((a, b) => b - a),
          );
        },
      ),
      { numRuns: Math.min(propertyRuns, 15), seed: 20_261_121 },
    );
  });

  it('takes a cursor for the query and the collection that it is of, and only unchanged', async () => {
    const database = await open();
    const collection = await withThree(database);
    const query = { vector: [1, 0.5, 0], topK: 1 };
    const { cursor } = await collection.queryPage(query);
    const refusal = { code: 'INVALID_ARGUMENT', details: { path: 'query.cursor' } };
    const changed = `${cursor!.slice(0, -3)}${cursor!.at(-3) === 'A' ? 'B' : 'A'}${cursor!.slice(-2)}`;
    for (const bad of ['', 'x', '!!!!!!!!!!!!', changed, 7 as never, `${cursor}`.slice(0, 20)])
      await expect(collection.queryPage({ ...query, cursor: bad })).rejects.toMatchObject(refusal);
    for (const other of [
      { vector: [1, 0.6, 0] },
      { exact: true },
      { filter: { axis: 'y' } },
      { minScore: 0.1 },
    ])
      await expect(collection.queryPage({ ...query, ...other, cursor: cursor! })).rejects.toMatchObject(
        refusal,
      );
    const another = await database.collection('other', { dimensions: 3 });
    await expect(another.queryPage({ ...query, cursor: cursor! })).rejects.toMatchObject(refusal);
    const rest = await collection.queryPage({ ...query, topK: 5, include: [], cursor: cursor! });
    expect(rest.hits.map(({ id }) => id)).toEqual(['x', 'y']);
    const grouped = { ...query, groupBy: 'axis' } as never;
    await expect(collection.queryPage(grouped)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('pages what a filter gives that says very much, and knows its cursors from those of another', async () => {
    const collection = await withThree(await open());
    const axes = ['x', 'y', 'z', ...Array.from({ length: 10_000 }, (_, at) => `axis-${at}`)];
    const query = { vector: [1, 0.5, 0], topK: 1, filter: { axis: { $in: axes } } };
    const pages = await pagesOf(collection, query);
    expect(pages.flat().map(({ id }) => id)).toEqual(
      (await collection.query({ ...query, topK: 3 })).map(({ id }) => id),
    );
    const { cursor } = await collection.queryPage(query);
    const others = [
      { axis: { $in: axes.with(5000, 'w') } },
      { axis: { $nin: axes } },
      { $not: query.filter },
    ];
    for (const filter of others)
      await expect(collection.queryPage({ ...query, filter, cursor: cursor! })).rejects.toMatchObject({
        details: { path: 'query.cursor' },
      });
  });
}

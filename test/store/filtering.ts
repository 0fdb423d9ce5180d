import { expect, it } from 'vitest';
import type { Collection, Filter, Metadata, Quantization, RecordInput } from '../../src/base/api.ts';
import { type NewLocation, type Open, type Store, three, vectorOf, withThree } from './fixture.ts';
import { distance } from './model.ts';

const DIMENSIONS = 16;
const RECORDS = 600;

/** Of group 0 there are 6, of group 1 there are 54, and so on; the lower the group, the farther from the first axis. */
const groupOf = (index: number): number => [1, 10, 50, 90, 100].findIndex((percent) => index % 100 < percent);

function records(): (RecordInput & { id: string; metadata: Metadata })[] {
  return Array.from({ length: RECORDS }, (_, index) => {
    const vector = vectorOf(index, DIMENSIONS);
    vector[0] = 4 * groupOf(index) - 8;
    return {
      id: `r${index}`,
      vector,
      metadata: { index, group: groupOf(index), tags: [`t${index % 3}`], at: new Date(index * 1000) },
    };
  });
}

async function idsOf(collection: Collection, filter: Filter): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of collection.scan({ filter, include: [] })) ids.push(id);
  return ids;
}

/** Filters by the public contract, whoever stores the records. */
export function filtering(open: Open, newLocation: NewLocation, { hasNoQuantization }: Store): void {
  it('counts, scans and deletes what a filter says', async () => {
    const collection = await withThree(await open());
    expect(await collection.count({ axis: 'x' })).toBe(1);
    expect(await collection.count({ 'nested.deep': true })).toBe(1);
    expect(await collection.count({ tags: { $in: ['b'] } })).toBe(1);
    expect(await collection.count({})).toBe(3);
    expect(await idsOf(collection, { axis: { $exists: true } })).toEqual(['x', 'y']);
    expect(await collection.delete({ filter: { axis: null } })).toEqual({ deleted: 1 });
    expect(await collection.delete({ filter: { axis: null } })).toEqual({ deleted: 0 });
    expect(await idsOf(collection, {})).toEqual(['x', 'y']);
    expect(await collection.delete({ filter: {} })).toEqual({ deleted: 2 });
    expect(await collection.count()).toBe(0);
  });

  it('refuses a filter of which a copy would have no conditions', async () => {
    const collection = await withThree(await open());
    class OfAxis {
      get axis(): string {
        return 'x';
      }
    }
    for (const filter of [Object.create({ axis: 'x' }), new OfAxis(), { $and: [new OfAxis()] }] as Filter[]) {
      const refused = { code: 'INVALID_FILTER' };
      await expect(collection.delete({ filter })).rejects.toMatchObject(refused);
      await expect(collection.count(filter)).rejects.toMatchObject(refused);
      await expect(idsOf(collection, filter)).rejects.toMatchObject(refused);
      await expect(collection.query({ vector: [1, 0, 0], filter })).rejects.toMatchObject(refused);
    }
    expect(await collection.count()).toBe(3);
  });

  it('scans with a filter, giving of each record what include asks for', async () => {
    const database = await open();
    const collection = await withThree(database);
    for (const where of ['log', 'files']) {
      if (where === 'files') await database.checkpoint();
      const scan = async (include?: ('vector' | 'metadata')[]) => {
        const found = [];
        const options = { filter: { axis: 'x' }, batchSize: 1, ...(include && { include }) };
        for await (const record of collection.scan(options)) found.push(record);
        return found;
      };
      const { id, metadata } = three[0]!;
      const vector = new Float32Array([1, 0, 0]);
      const none = new Float32Array();
      expect(await scan()).toEqual([{ id, metadata, vector }]);
      expect(await scan(['vector'])).toEqual([{ id, metadata: {}, vector }]);
      expect(await scan(['metadata'])).toEqual([{ id, metadata, vector: none }]);
      expect(await scan([])).toEqual([{ id, metadata: {}, vector: none }]);
    }
  });

  it('knows of a write at once, and of a filter asked before what has changed since', async () => {
    const database = await open();
    const collection = await withThree(database);
    const filter = { axis: { $in: ['x', 'z'] } };
    const found = async () => {
      const hits = await collection.query({ vector: [1, 1, 1], filter });
      expect(await collection.count(filter)).toBe(hits.length);
      return hits.map(({ id }) => id).sort();
    };
    expect(await found()).toEqual(['x']);
    await collection.insert({ id: 'z', vector: [0, 0, 1], metadata: { axis: 'z' } });
    expect(await found()).toEqual(['x', 'z']);
    await collection.update({ id: 'y', metadata: { axis: 'x' } });
    await collection.update({ id: 'x', metadata: { axis: 'y' } });
    expect(await found()).toEqual(['y', 'z']);
    await database.checkpoint();
    await collection.delete('z');
    expect(await found()).toEqual(['y']);
    await database.compact();
    expect(await found()).toEqual(['y']);
    await collection.upsert({ id: 'z', vector: [0, 0, 1], metadata: { axis: 'z' } });
    expect(await found()).toEqual(['y', 'z']);
  });

  const kinds: Quantization[] = hasNoQuantization ? ['none'] : ['none', 'int8', 'binary'];
  it.each(kinds)(
    'finds the nearest that match, as many as are asked for and there are, however few and far (quantization %s)',
    async (quantization) => {
      const database = await open();
      const config = { dimensions: DIMENSIONS, metric: 'euclidean' as const, quantization };
      const collection = await database.collection('c', config);
      const all = records();
      await collection.insert(all.slice(0, 400));
      await database.checkpoint();
      await collection.insert(all.slice(400));
      // Nearest to the group of which there are most.
      const query = vectorOf(7, DIMENSIONS);
      query[0] = 8;
      const filters: [Filter, (metadata: Metadata) => boolean][] = [
        [{ group: 0 }, ({ group }) => group === 0],
        [{ group: 1, tags: 't1' }, ({ group, index }) => group === 1 && Number(index) % 3 === 1],
        [{ at: { $lt: new Date(60_000) } }, ({ index }) => Number(index) < 60],
        [{ group: { $ne: 4 } }, ({ group }) => group !== 4],
        [{ nothing: 'here' }, () => false],
        [{}, () => true],
      ];
      for (const [filter, isRight] of filters)
        for (const topK of [1, 10, 1000]) {
          const right = all.filter(({ metadata }) => isRight(metadata));
          const distances = right.map(({ vector }) =>
            distance(Float32Array.from(query), Float32Array.from(vector), 'euclidean'),
          );
          const expected = distances.sort((a, b) => a - b).slice(0, topK);
          const hits = await collection.query({ vector: query, topK, filter });
          const exact = await collection.query({ vector: query, topK, filter, exact: true });
          expect(hits.length).toBe(expected.length);
          for (const { metadata } of hits) expect(isRight(metadata)).toBe(true);
          // One bit a dimension leads past some of the nearest, if it is asked for fewer than there are.
          const compared = quantization === 'binary' && topK < 1000 ? [exact] : [exact, hits];
          for (const answer of compared)
            for (const [rank, hit] of answer.entries()) expect(hit.distance).toBeCloseTo(expected[rank]!, 3);
        }
    },
  );

  it('answers many queries, each with a filter of its own, and leaves out hits below minScore', async () => {
    const collection = await withThree(await open());
    const answers = await collection.queryMany([
      { vector: [1, 0, 0], filter: { axis: 'y' } },
      { vector: [1, 0, 0] },
      { vector: [1, 0, 0], filter: { axis: { $ne: 'x' } }, minScore: 0.5 },
    ]);
    expect(answers.map((hits) => hits.map(({ id }) => id))).toEqual([['y'], ['x', 'xy', 'y'], ['xy']]);
    const filter: Filter = { axis: { $in: ['x', 'y'] } };
    const asking = [1, 0].map((x) => ({ vector: [x, 1 - x, 0], filter }));
    const shared = collection.queryMany([...asking, { vector: [1, 0, 0] }, ...asking]);
    // As it was at the call.
    filter.axis = 'nobody';
    const ids = (await shared).map((hits) => hits.map(({ id }) => id));
    expect(ids).toEqual([
      ['x', 'y'],
      ['y', 'x'],
      ['x', 'xy', 'y'],
      ['x', 'y'],
      ['y', 'x'],
    ]);
    const bad = { axis: { $gt: {} } } as never;
    await expect(
      collection.queryMany([
        { vector: [1, 0, 0] },
        ...[1, 2].map(() => ({ vector: [1, 0, 0], filter: bad })),
      ]),
    ).rejects.toMatchObject({ code: 'INVALID_FILTER', details: { path: 'queries[1].filter.axis.$gt' } });
  });

  it('refuses what is no filter wherever one is taken, names its place, and changes nothing', async () => {
    const database = await open(newLocation());
    const collection = await withThree(database);
    let deep: unknown = { axis: 'x' };
    for (let level = 0; level < 50_000; level++) deep = { $and: [deep] };
    const bad: [unknown, string][] = [
      [{ $and: [{ axis: 'x' }, { axis: { $gt: {} } }] }, '.$and[1].axis.$gt'],
      [{ axis: () => true }, '.axis'],
      [{ axis: undefined }, '.axis'],
      ['axis', ''],
      [null, ''],
    ];
    for (const [given, place] of bad) {
      const filter = given as Filter;
      const refusedAt = (path: string) => ({
        name: 'IsovecError',
        code: 'INVALID_FILTER',
        details: { path: path + place },
      });
      const vector = [1, 0, 0];
      await expect(collection.query({ vector, filter })).rejects.toMatchObject(refusedAt('query.filter'));
      await expect(collection.queryMany([{ vector }, { vector, filter }])).rejects.toMatchObject(
        refusedAt('queries[1].filter'),
      );
      await expect(collection.count(filter)).rejects.toMatchObject(refusedAt('filter'));
      await expect(idsOf(collection, filter)).rejects.toMatchObject(refusedAt('options.filter'));
      await expect(collection.delete({ filter })).rejects.toMatchObject(refusedAt('which.filter'));
      await database.transaction(async (tx) => {
        await expect(tx.collection('three').delete({ filter })).rejects.toMatchObject(
          refusedAt('which.filter'),
        );
      });
    }
    await expect(collection.count(deep as Filter)).rejects.toMatchObject({ code: 'INVALID_FILTER' });
    await expect(collection.delete({} as { filter: Filter })).rejects.toMatchObject({
      code: 'INVALID_FILTER',
      details: { path: 'which.filter' },
    });
    expect(await collection.count()).toBe(3);
  });

  it('takes a filter as it is at the call', async () => {
    const collection = await withThree(await open());
    const filter: Filter = { axis: 'x' };
    const counted = collection.count(filter);
    const deleted = collection.delete({ filter });
    filter.axis = { $exists: false };
    expect(await counted).toBe(1);
    expect(await deleted).toEqual({ deleted: 1 });
    expect(await idsOf(collection, {})).toEqual(['y', 'xy']);
  });

  it('deletes by filter in the order of the calls, with what is still under way', async () => {
    const collection = await withThree(await open());
    const put = (id: string, axis: string) =>
      collection.upsert({ id, vector: [1, 2, 3], metadata: { axis } });
    const results = await Promise.all([
      put('before', 'w'),
      put('x', 'w'),
      put('y', 'other'),
      collection.delete({ filter: { axis: { $in: ['w', 'y'] } } }),
      put('after', 'w'),
      collection.delete({ filter: { axis: 'y' } }),
    ]);
    expect([results[3], results[5]]).toEqual([{ deleted: 2 }, { deleted: 0 }]);
    expect(await idsOf(collection, {})).toEqual(['y', 'xy', 'after']);
  });

  it('deletes by filter in a transaction what that has written, and nothing if it is rolled back', async () => {
    const database = await open();
    const collection = await withThree(database);
    const run = (isRolledBack: boolean) =>
      database.transaction(async (tx) => {
        const inside = tx.collection('three');
        await inside.insert({ id: 'new', vector: [1, 2, 3], metadata: { axis: 'x' } });
        await inside.update({ id: 'y', metadata: { axis: 'x' } });
        await inside.update({ id: 'x', metadata: { axis: 'y' } });
        expect(await inside.delete({ filter: { axis: 'x' } })).toEqual({ deleted: 2 });
        expect(await inside.get(['new', 'y'])).toEqual([undefined, undefined]);
        expect((await inside.get('x'))!.metadata.axis).toBe('y');
        if (isRolledBack) throw new Error('rolled back');
      });
    await expect(run(true)).rejects.toThrow('rolled back');
    expect(await idsOf(collection, { axis: 'x' })).toEqual(['x']);
    expect(await collection.count()).toBe(3);
    await run(false);
    expect(await idsOf(collection, {})).toEqual(['x', 'xy']);
  });

  it('sees each batch whole or not at all, however much is written meanwhile', async () => {
    const collection = await (await open()).collection('versions', { dimensions: 2 });
    const batch = (version: number) =>
      Array.from({ length: 50 }, (_, index) => ({
        id: `r${index}`,
        vector: [index + 1, version + 1],
        metadata: { version },
      }));
    await collection.insert(batch(0));
    let isWriting = true;
    const reading = (async () => {
      for (let round = 0; isWriting; round++) {
        const [hits, all] = await Promise.all([
          collection.query({ vector: [1, 1], topK: 100, filter: { version: round % 12 } }),
          collection.count({ version: { $gte: 0 } }),
        ]);
        expect([0, 50]).toContain(hits.length);
        expect(all).toBe(50);
        // Answers from memory take no turn of the event loop, and a writer to files needs some.
        await new Promise((resolve) => setTimeout(resolve));
      }
    })();
    for (let version = 1; version < 12; version++) await collection.upsert(batch(version));
    isWriting = false;
    await reading;
    expect(await collection.count({ version: 11 })).toBe(50);
  });

  it('gives up a filtered query whose signal is aborted', async () => {
    const collection = await withThree(await open());
    const controller = new AbortController();
    const query = { vector: [1, 0, 0], filter: { axis: 'x' }, signal: controller.signal };
    const answered = collection.query(query);
    controller.abort();
    await expect(answered).rejects.toMatchObject({ code: 'ABORTED' });
  });
}

/** Collections whose vectors are held as codes. */
import { describe, expect, it } from 'vitest';
import type { Collection, Include, Query } from '../../src/base/api.ts';
import { gaussian } from '../search/random.ts';
import { type NewLocation, type Open, vectorOf } from './fixture.ts';
import { distance, type Metric } from './model.ts';

const DIMENSIONS = 24;
const RECORDS = 600;

const all = Array.from({ length: RECORDS }, (_, index) => ({
  id: `id${index}`,
  vector: vectorOf(index + 1, DIMENSIONS),
}));

/** The ids that brute force finds. */
function nearest(query: number[], topK: number, metric: Metric): string[] {
  const vector = Float32Array.from(query);
  return all
    .map(({ id, vector: each }) => ({ id, distance: distance(vector, Float32Array.from(each), metric) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, topK)
    .map(({ id }) => id);
}

async function recallOf(collection: Collection, metric: Metric): Promise<number> {
  let found = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const query = vectorOf(seed * 7919, DIMENSIONS);
    const hits = await collection.query({ vector: query, topK: 10, ef: 200 });
    const wanted = new Set(nearest(query, 10, metric));
    found += hits.filter(({ id }) => wanted.has(id)).length;
  }
  return found / 200;
}

/** Against exact answers of the same collection; what is found must be as far away as there. */
async function binaryRecallOf(collection: Collection, queries: Float32Array[]): Promise<number> {
  let found = 0;
  for (const vector of queries) {
    const exact = await collection.query({ vector, topK: 10, exact: true });
    const wanted = new Map(exact.map(({ id, distance }) => [id, distance]));
    const hits = await collection.query({ vector, topK: 10 });
    const distances = hits.map(({ distance }) => distance!);
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    for (const { id, distance } of hits)
      if (wanted.has(id)) {
        expect(distance).toBe(wanted.get(id));
        found++;
      }
  }
  return found / queries.length / 10;
}

export function quantization(open: Open, newLocation: NewLocation): void {
  describe('queries asked together', () => {
    it.each([
      ['none', 'flat'],
      ['none', 'hnsw'],
      ['int8', 'flat'],
      ['int8', 'hnsw'],
      ['binary', 'flat'],
    ] as const)('are answered as each alone (%s, %s)', async (quantization, type) => {
      const location = newLocation();
      const before = await open(location);
      const filled = await before.collection('c', { dimensions: DIMENSIONS, quantization, index: { type } });
      await filled.insert(all);
      await before.close();
      const database = await open(location);
      const collection = await database.collection('c');
      await collection.delete(all.slice(50, 90).map(({ id }) => id));
      await collection.upsert(all.slice(0, 40).map(({ id }, at) => ({ id, vector: vectorOf(-at - 1, 24) })));
      // A walk may find something else when the graph has grown.
      const exact = type === 'hnsw' || quantization === 'int8';
      const queries = Array.from({ length: 11 }, (_, at): Query => {
        const topK = at < 6 ? 10 : 3 + (at % 2);
        const include: Include[] = at === 2 ? ['vector'] : ['metadata'];
        return { vector: vectorOf(at * 7919, DIMENSIONS), topK, exact, include };
      });
      const alone = [];
      for (const query of queries) alone.push(await collection.query(query));
      expect(await collection.queryMany(queries)).toEqual(alone);
      await database.close();
    });
  });

  describe('a quantised collection', () => {
    it.each<Metric>(['cosine', 'dot', 'euclidean'])(
      'finds by its codes what vectors would, and scores by the vectors, before and after reopening (%s)',
      async (metric) => {
        const location = newLocation();
        let database = await open(location);
        const config = { dimensions: DIMENSIONS, metric, quantization: 'int8' } as const;
        let collection = await database.collection('c', config);
        await collection.insert(all);
        expect(await recallOf(collection, metric)).toBeGreaterThan(0.97);
        const query = { vector: vectorOf(4711, DIMENSIONS), topK: 5, ef: 400 };
        const hits = await collection.query(query);
        for (const hit of hits) {
          const vector = Float32Array.from(all.find(({ id }) => id === hit.id)!.vector);
          expect(hit.distance).toBeCloseTo(distance(Float32Array.from(query.vector), vector, metric), 4);
        }
        await database.close();
        database = await open(location);
        collection = await database.collection('c');
        expect((await collection.info()).config.quantization).toBe('int8');
        expect(await recallOf(collection, metric)).toBeGreaterThan(0.97);
      },
    );

    it('answers exact queries exactly', async () => {
      const database = await open();
      const collection = await database.collection('c', { dimensions: DIMENSIONS, quantization: 'int8' });
      await collection.insert(all.slice(0, 400));
      await database.checkpoint();
      await collection.insert(all.slice(400));
      for (let seed = 1; seed < 6; seed++) {
        const vector = vectorOf(seed * 31, DIMENSIONS);
        const hits = await collection.query({ vector, topK: 30, exact: true });
        expect(hits.map(({ id }) => id)).toEqual(nearest(vector, 30, 'cosine'));
      }
    });

    it('can become one and cease to be one at any time, with writes going on, and stays so', async () => {
      const location = newLocation();
      let database = await open(location);
      let collection = await database.collection('c', { dimensions: DIMENSIONS });
      await collection.insert(all.slice(0, 500));
      const changing = collection.setQuantization('int8');
      await collection.insert(all.slice(500));
      await collection.delete(['id0', 'id501']);
      await collection.insert([all[0]!, all[501]!]);
      await changing;
      expect((await collection.info()).config.quantization).toBe('int8');
      expect(await recallOf(collection, 'cosine')).toBeGreaterThan(0.97);
      await database.close();
      database = await open(location);
      collection = await database.collection('c', { dimensions: DIMENSIONS, quantization: 'int8' });
      expect(await recallOf(collection, 'cosine')).toBeGreaterThan(0.97);
      await collection.setQuantization('none');
      await collection.setQuantization('none');
      expect((await collection.info()).config.quantization).toBe('none');
      await expect(
        database.collection('c', { dimensions: DIMENSIONS, quantization: 'int8' }),
      ).rejects.toMatchObject({ code: 'CONFIG_MISMATCH' });
      expect(await recallOf(collection, 'cosine')).toBeGreaterThan(0.97);
    });

    it('learns its codes anew when what comes in is of another magnitude', async () => {
      const database = await open();
      const config = { dimensions: DIMENSIONS, metric: 'dot', quantization: 'int8' } as const;
      const collection = await database.collection('c', config);
      await collection.insert({ id: 'first', vector: vectorOf(1, DIMENSIONS).map((each) => each * 1e-3) });
      await collection.upsert(all);
      await expect.poll(() => recallOf(collection, 'dot'), { timeout: 30_000 }).toBeGreaterThan(0.97);
    });

    it('made of few, tells those apart that come later and are longer in some direction', async () => {
      const collection = await (await open()).collection('c', { dimensions: 4 });
      const towards = (share: number) => [1, share, share, share];
      const insert = (prefix: string, shares: number[]) =>
        collection.insert(shares.map((share, at) => ({ id: `${prefix}${at}`, vector: towards(share) })));
      await insert(
        'early',
        Array.from({ length: 7 }, (_, at) => 0.4 + at / 1000),
      );
      await collection.setQuantization('int8');
      const shares = Array.from({ length: 24 }, (_, at) => 0.3 - at / 80);
      await insert('late', shares);
      for (const [at, share] of shares.entries()) {
        const [hit] = await collection.query({ vector: towards(share), topK: 1 });
        expect(hit?.id).toBe(`late${at}`);
      }
    });

    it('finds by one bit a dimension most of what vectors would, in the true order, and after reopening too', async () => {
      const dimensions = 256;
      const next = gaussian(5);
      const draw = () => Float32Array.from({ length: dimensions }, next);
      const records = Array.from({ length: RECORDS }, (_, index) => ({ id: `id${index}`, vector: draw() }));
      const queries = Array.from({ length: 10 }, draw);
      const location = newLocation();
      const database = await open(location);
      const collection = await database.collection('c', { dimensions, quantization: 'binary' });
      await collection.insert(records);
      expect(await binaryRecallOf(collection, queries)).toBeGreaterThan(0.85);
      await database.close();
      const reopened = await (await open(location)).collection('c');
      expect(await binaryRecallOf(reopened, queries)).toBeGreaterThan(0.85);
    });

    it('ranks the more by their vectors, the greater ef is: at last all of them', async () => {
      const dimensions = 256;
      const next = gaussian(6);
      const draw = () => Float32Array.from({ length: dimensions }, next);
      const database = await open(newLocation());
      const config = { dimensions, quantization: 'binary', index: { type: 'flat' } } as const;
      const collection = await database.collection('c', config);
      await collection.insert(
        Array.from({ length: RECORDS }, (_, index) => ({ id: `id${index}`, vector: draw() })),
      );
      for (const vector of Array.from({ length: 10 }, draw)) {
        const exact = await collection.query({ vector, exact: true });
        expect(await collection.query({ vector, ef: 2 * RECORDS })).toEqual(exact);
      }
      await database.close();
    });

    it('says that there is no such quantization', async () => {
      const collection = await (await open()).collection('c', { dimensions: 2 });
      await expect(collection.setQuantization('int4' as 'int8')).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    });
  });
}

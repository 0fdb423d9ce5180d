/** Collections with codes of links beside them: the same answers, but for a few. */
import { describe, expect, it } from 'vitest';
import type { Collection } from '../../src/base/api.ts';
import { gaussian } from '../search/random.ts';
import type { NewLocation, Open } from './fixture.ts';

const DIMENSIONS = 48;
const RECORDS = 1500;
const next = gaussian(9);
const draw = () => Float32Array.from({ length: DIMENSIONS }, next);
const all = Array.from({ length: RECORDS }, (_, at) => ({ id: `id${at}`, vector: draw() }));
const queries = Array.from({ length: 30 }, draw);

async function recallOf(collection: Collection): Promise<number> {
  let found = 0;
  for (const vector of queries) {
    const exact = await collection.query({ vector, topK: 10, exact: true });
    const wanted = new Map(exact.map(({ id, distance }) => [id, distance!]));
    const hits = await collection.query({ vector, topK: 10, ef: 150 });
    for (const { id, distance } of hits) {
      if (!wanted.has(id)) continue;
      expect(distance).toBeCloseTo(wanted.get(id)!, 5);
      found++;
    }
  }
  return found / queries.length / 10;
}

async function untilIndexed(collection: Collection): Promise<void> {
  await expect
    .poll(
      async () => {
        const { count, indexed } = await collection.info();
        return count - indexed;
      },
      { timeout: 60_000 },
    )
    .toBe(0);
}

export function linkCodes(open: Open, newLocation: NewLocation): void {
  describe('a collection with codes of links', () => {
    it.each(['none', 'int8'] as const)(
      'finds what it should, also after churn and reopening (%s)',
      async (quantization) => {
        const location = newLocation();
        let database = await open(location);
        let collection = await database.collection('c', {
          dimensions: DIMENSIONS,
          quantization,
          index: { linkCodes: true },
        });
        await collection.insert(all);
        await untilIndexed(collection);
        expect(await recallOf(collection)).toBeGreaterThan(0.95);
        expect(await recallOf(collection)).toBeGreaterThan(0.95);
        await collection.delete(all.slice(0, 500).map(({ id }) => id));
        await collection.upsert(all.slice(200, 400));
        await untilIndexed(collection);
        expect(await recallOf(collection)).toBeGreaterThan(0.95);
        await database.close();
        database = await open(location);
        collection = await database.collection('c', { dimensions: DIMENSIONS, index: { linkCodes: true } });
        expect((await collection.info()).config.index?.linkCodes).toBe(true);
        expect(await recallOf(collection)).toBeGreaterThan(0.95);
      },
      120_000,
    );

    it('says where there are none', async () => {
      const database = await open();
      for (const config of [
        { dimensions: 4, index: { linkCodes: true, type: 'flat' } },
        { dimensions: 4, index: { linkCodes: true, engine: 'hnswlib-wasm' } },
        { dimensions: 4, quantization: 'binary', index: { linkCodes: true } },
        { dimensions: 4097, index: { linkCodes: true } },
      ] as const)
        await expect(database.collection('c', config)).rejects.toMatchObject({
          code: 'UNSUPPORTED',
          details: { path: 'config.index.linkCodes' },
        });
      const without = await database.collection('without', { dimensions: 4 });
      expect((await without.info()).config.index?.linkCodes).toBeUndefined();
      await expect(
        database.collection('without', { dimensions: 4, index: { linkCodes: true } }),
      ).rejects.toMatchObject({ code: 'CONFIG_MISMATCH' });
      const collection = await database.collection('with', { dimensions: 4, index: { linkCodes: true } });
      await expect(collection.setQuantization('binary')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await collection.setQuantization('int8');
    });
  });
}

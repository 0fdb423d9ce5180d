// The built package: a worker is a file of its own, and that is what users run.
import { afterEach, expect, it } from 'vitest';
import { destroy, open } from '../../dist/index.js';
import { vectorOf } from './fixture.ts';

const DIMENSIONS = 16;
const location = `isovec-hnswlib-${Date.now()}`;

afterEach(() => destroy(location));

it.each([true, false])(
  'a browser searches with hnswlib-wasm, and builds it anew (in a worker: %s)',
  async (worker) => {
    const options = { worker, storage: worker ? 'opfs' : 'indexeddb' } as const;
    const database = await open(location, options);
    const collection = await database.collection('c', {
      dimensions: DIMENSIONS,
      index: { engine: 'hnswlib-wasm' },
    });
    const records = Array.from({ length: 1500 }, (_, row) => ({
      id: String(row),
      vector: vectorOf(row + 1, DIMENSIONS),
    }));
    const check = async (held: typeof collection) => {
      const { vector } = records[700]!;
      const [nearest, exact] = await held.queryMany([
        { vector, topK: 5 },
        { vector, topK: 5, exact: true },
      ]);
      expect(nearest!.map(({ id }) => id)).toEqual(exact!.map(({ id }) => id));
      expect(nearest![0]).toMatchObject({ id: '700' });
      expect(nearest![0]!.distance).toBeCloseTo(0, 5);
    };
    await collection.insert(records);
    await check(collection);
    await expect.poll(async () => (await collection.info()).indexed, { timeout: 30_000 }).toBe(1500);
    await check(collection);
    expect(await collection.delete('700')).toEqual({ deleted: 1 });
    expect(
      (await collection.query({ vector: records[700]!.vector, topK: 5 })).map(({ id }) => id),
    ).not.toContain('700');
    await collection.insert(records[700]!);
    await database.close();

    const again = await open(location, options);
    const reopened = await again.collection('c');
    await check(reopened);
    await expect.poll(async () => (await reopened.info()).indexed, { timeout: 30_000 }).toBe(1500);
    await check(reopened);
    await again.close();
  },
);

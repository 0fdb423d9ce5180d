import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Database, OpenOptions, Query } from '../../../src/base/api.ts';
import type { MemoryFiles } from '../../../src/storage/memory.ts';
import { openLocal } from '../../../src/store/open.ts';
import { vectorOf } from '../fixture.ts';
import { memoryPlatform } from '../memory-platform.ts';

const DIMENSIONS = 4;
const config = { dimensions: DIMENSIONS, index: { type: 'flat' } } as const;

/** Few, so that they are asked again, and much alike. */
const vector = vectorOf(1, DIMENSIONS);
const query = fc.constantFrom<Query[]>(
  { vector },
  { vector: vectorOf(2, DIMENSIONS) },
  { vector, topK: 3 },
  { vector, filter: { page: null } },
  { vector, filter: { page: { $gt: Number.POSITIVE_INFINITY } } },
  { vector, minScore: Number.POSITIVE_INFINITY },
  { vector, minScore: Number.NEGATIVE_INFINITY, include: ['vector'] },
  { vector, groupBy: 'even' },
);
const record = fc.record({ id: fc.nat(20), seed: fc.integer({ min: 1, max: 50 }) });
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ ask: query, who: fc.nat(1), isChanged: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ put: record, who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat(20), who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constantFrom('checkpoint' as const, 'compact' as const) }) },
  { weight: 1, arbitrary: fc.constant({ quantization: 'int8' as const }) },
);

describe('the result cache', () => {
  const opened: Database[] = [];
  const platform = memoryPlatform(new Map<string, MemoryFiles>());
  let locations = 0;

  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
  });

  async function open(options: OpenOptions, location = `cache-${++locations}`): Promise<Database> {
    const database = await openLocal(platform, location, options);
    opened.push(database);
    return database;
  }

  it('gives what a store without one gives, whoever writes what in between', async () => {
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
        const location = `cache-${++locations}`;
        const cached = [
          await open({ resultCache: true }, location),
          await open({ resultCache: { entries: 5 } }, location),
        ];
        const plain = await open({}, location);
        await cached[0]!.collection('c', config);
        const collections = await Promise.all([...cached, plain].map((database) => database.collection('c')));
        for (const each of steps) {
          if ('ask' in each) {
            const found = await collections[each.who]!.query(each.ask);
            expect(found).toEqual(await collections[2]!.query(each.ask));
            if (!each.isChanged) continue;
            // What callers do to their hits is their business.
            for (const hit of found) {
              hit.metadata.even = 'changed';
              hit.vector?.fill(0);
            }
            found.pop();
          } else if ('put' in each) {
            const { id, seed } = each.put;
            const metadata = { even: seed % 2 === 0, page: seed % 3 };
            await collections[each.who]!.upsert({
              id: `r${id}`,
              vector: vectorOf(seed, DIMENSIONS),
              metadata,
            });
          } else if ('remove' in each) await collections[each.who]!.delete(`r${each.remove}`);
          else if ('call' in each) await cached[0]![each.call]();
          else await collections[0]!.setQuantization(each.quantization);
        }
        for (const database of cached) hits += (await database.stats()).cache.hits;
        for (const database of opened.splice(0)) await database.close();
      }),
      { numRuns: 60, seed: 20_261_121 },
    );
    expect(hits).toBeGreaterThan(100);
  });

  it('never gives what was found while something was written', async () => {
    const database = await open({ resultCache: true });
    const collection = await database.collection('c', config);
    await collection.insert(
      Array.from({ length: 50 }, (_, at) => ({ id: `r${at}`, vector: vectorOf(at + 1, DIMENSIONS) })),
    );
    const asked = { vector: vectorOf(3, DIMENSIONS), topK: 100, filter: { none: null } };
    for (let round = 0; round < 50; round++) {
      const [, , hits] = await Promise.all([
        collection.query(asked),
        collection.delete(`r${round}`),
        collection.query(asked),
      ]);
      expect(hits.length).toBeGreaterThanOrEqual(49 - round);
      expect(await collection.query(asked)).toHaveLength(49 - round);
    }
  });

  it('holds so many answers, and so many bytes, at most, and counts', async () => {
    const database = await open({ resultCache: { entries: 3 } });
    const collection = await database.collection('c', config);
    await collection.insert({ id: 'a', vector: [1, 2, 3, 4], metadata: { text: 'x'.repeat(1000) } });
    const ask = (...seeds: number[]) =>
      collection.queryMany(seeds.map((seed) => ({ vector: vectorOf(seed, DIMENSIONS) })));
    const stats = async () => (await database.stats()).cache;
    expect(await stats()).toEqual({ hits: 0, misses: 0, hitRatio: 0, entries: 0, bytes: 0 });
    await ask(1, 2, 3);
    await ask(1, 4, 1, 3, 2);
    const { bytes, ...counts } = await stats();
    expect(counts).toEqual({ hits: 3, misses: 5, hitRatio: 3 / 8, entries: 3 });
    expect(bytes).toBeGreaterThan(6000);
    const small = await open({ resultCache: { bytes: 20_000 } });
    const other = await small.collection('c', config);
    await other.insert({ id: 'a', vector: [1, 2, 3, 4], metadata: { text: 'x'.repeat(500) } });
    for (let seed = 1; seed < 100; seed++) await other.query({ vector: vectorOf(seed, DIMENSIONS) });
    const { cache } = await small.stats();
    expect(cache.entries).toBeGreaterThan(5);
    expect(cache.bytes).toBeLessThanOrEqual(20_000);
    await other.update({ id: 'a', metadata: { text: 'x'.repeat(5000) } });
    await other.query({ vector: vectorOf(1, DIMENSIONS) });
    await other.query({ vector: vectorOf(1, DIMENSIONS) });
    expect((await small.stats()).cache.hits).toBe(0);
  });

  it('keeps no answers to filters that say too much to be compared', async () => {
    const database = await open({ resultCache: true });
    const collection = await database.collection('c', config);
    await collection.insert({ id: 'a', vector: [1, 2, 3, 4], metadata: { page: 3 } });
    const filter = { page: { $in: Array.from({ length: 20_000 }, (_, page) => page) } };
    for (let round = 0; round < 3; round++)
      expect(await collection.query({ vector, filter })).toHaveLength(1);
    expect((await database.stats()).cache).toMatchObject({ hits: 0, misses: 3, entries: 0, bytes: 0 });
  });

  it.each([
    [7, 'options.resultCache'],
    [{ entries: 0 }, 'options.resultCache.entries'],
    [{ size: 1 }, 'options.resultCache.size'],
  ])('is not made with %j', async (resultCache, path) => {
    const { open: openNode } = await import('../../../src/index.node.ts');
    const opening = openNode('bad', { storage: 'memory', resultCache: resultCache as never });
    await expect(opening).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { path } });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Collection, Database, OpenOptions } from '../../src/base/api.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import { openLocal } from '../../src/store/open.ts';
import { vectorOf } from './fixture.ts';
import { memoryPlatform } from './memory-platform.ts';

const MEBIBYTE = 1024 * 1024;
const DIMENSIONS = 64;
const CONFIG = { dimensions: DIMENSIONS, index: { m: 4, efConstruction: 8 } } as const;

function openFiles(files: MemoryFiles, options: OpenOptions): Promise<Database> {
  return openLocal(memoryPlatform(new Map([['limited', files]])), 'limited', options);
}

function batchOf(first: number, count: number, bytes: number) {
  return Array.from({ length: count }, (_, at) => ({
    id: `${first + at}-`.padEnd(36, 'x'),
    vector: vectorOf(first + at + 1, DIMENSIONS),
    metadata: { text: 'x'.repeat(bytes) },
  }));
}

async function contentOf(collection: Collection): Promise<Map<string, unknown>> {
  const content = new Map<string, unknown>();
  for await (const { id, metadata } of collection.scan()) content.set(id, metadata);
  return content;
}

const memoryOf = async (database: Database) => (await database.stats()).memoryBytes;

/** Until it is refused. @returns the details of the refusal */
async function fill(collection: Collection, size: number, from = 0): Promise<Record<string, unknown>> {
  for (let first = from; ; first += size)
    try {
      await collection.insert(batchOf(first, size, 10));
    } catch (error) {
      expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED', message: expect.stringContaining('would fit') });
      return (error as { details: Record<string, unknown> }).details;
    }
}

describe('under a limit of memory', () => {
  const write = fc.record({
    size: fc.integer({ min: 1, max: 3000 }),
    bytes: fc.nat(2000),
    isRemoval: fc.integer({ min: 0, max: 4 }).map((die) => die === 0),
    isCheckpoint: fc.boolean(),
  });

  it('a refused batch leaves everything as it was, memory stays below, and reopening gives the same', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { minLength: 3, maxLength: 8 }),
        fc.integer({ min: 4, max: 8 }),
        async (writes, mebibytes) => {
          const memoryLimit = mebibytes * MEBIBYTE;
          const files = new MemoryFiles();
          let database = await openFiles(files, { memoryLimit });
          let collection = await database.collection('c', CONFIG);
          const model = new Map<string, unknown>();
          let next = 0;
          for (const { size, bytes, isRemoval, isCheckpoint } of writes) {
            if (isRemoval) {
              const ids = [...model.keys()].slice(0, size);
              if (ids.length > 0) await collection.delete(ids);
              for (const id of ids) model.delete(id);
            } else {
              const batch = batchOf(next, size, bytes);
              next += size;
              try {
                await collection.insert(batch);
                for (const { id, metadata } of batch) model.set(id, metadata);
              } catch (error) {
                expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED' });
                refused++;
              }
            }
            if (isCheckpoint) await database.checkpoint();
            expect(await memoryOf(database)).toBeLessThan(memoryLimit);
            expect(await collection.count()).toBe(model.size);
          }
          expect(await contentOf(collection)).toEqual(model);
          await database.close();
          database = await openFiles(files, { memoryLimit });
          collection = await database.collection('c');
          expect(await contentOf(collection)).toEqual(model);
          expect(await memoryOf(database)).toBeLessThan(memoryLimit);
          await database.close();
        },
      ),
      { seed: 11, numRuns: 12 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  it('a refusal says how many more would fit, and so many do', async () => {
    const memoryLimit = 6 * MEBIBYTE;
    const database = await openFiles(new MemoryFiles(), { memoryLimit });
    const collection = await database.collection('c', CONFIG);
    const details = await fill(collection, 3000);
    expect(details).toMatchObject({ limitBytes: memoryLimit, collection: 'c' });
    expect(details.helps).toContain("quantization 'int8'");
    const fits = details.fits as number;
    expect(fits).toBeGreaterThan(0);
    await collection.insert(batchOf(1_000_000, fits, 10));
    await expect(collection.insert(batchOf(2_000_000, 3000, 10))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
    const [hit] = await collection.query({ vector: vectorOf(1, DIMENSIONS), topK: 1 });
    expect(hit?.id).toMatch(/^0-/);
    await database.close();
  });

  it('what indexes of fields will take is foreseen, and when they take it memory stays below', async () => {
    const memoryLimit = 12 * MEBIBYTE;
    const fields = Object.fromEntries(Array.from({ length: 24 }, (_, at) => [`f${at}`, 'number' as const]));
    const stored: number[] = [];
    for (const config of [CONFIG, { ...CONFIG, fields }]) {
      const database = await openFiles(new MemoryFiles(), { memoryLimit });
      const collection = await database.collection('c', config);
      await fill(collection, 2000);
      stored.push(await collection.count());
      expect(await collection.count({ f0: { $exists: false } })).toBe(stored.at(-1));
      expect(await memoryOf(database)).toBeLessThan(memoryLimit);
      await database.close();
    }
    expect(stored[1]).toBeLessThan(stored[0]! * 0.8);
  });

  it('what does not fit is not opened, and says so; with more it is', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files, {});
    await (await database.collection('c', CONFIG)).insert(batchOf(0, 20_000, 10));
    await database.close();
    await expect(openFiles(files, { memoryLimit: 5 * MEBIBYTE })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: expect.stringContaining('memoryLimit'),
    });
    const opened = await openFiles(files, { memoryLimit: 32 * MEBIBYTE });
    expect(await (await opened.collection('c')).count()).toBe(20_000);
    await opened.close();
  });

  it('codes of links count, and quantization that does not go with them is no way to make room', async () => {
    const files = new MemoryFiles();
    const index = { ...CONFIG.index, linkCodes: true };
    const database = await openFiles(files, { memoryLimit: 8 * MEBIBYTE });
    const { helps } = await fill(await database.collection('limited', { ...CONFIG, index }), 500);
    expect(helps).toContain("quantization 'int8'");
    expect(helps).not.toContain("quantization 'binary'");
    await database.checkpoint();
    await database.close();
    const whole = await openFiles(files, {});
    await whole.collection('limited');
    const memoryBytes = await memoryOf(whole);
    await whole.close();
    const refused: unknown = await openFiles(files, { memoryLimit: MEBIBYTE }).catch((error) => error);
    expect(refused).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    const { neededBytes } = (refused as { details: { neededBytes: number } }).details;
    expect(neededBytes).toBeGreaterThan(0.8 * memoryBytes);
    expect(neededBytes).toBeLessThan(1.2 * memoryBytes);
  });

  it('neither a collection nor a second index is begun that does not fit', async () => {
    const database = await openFiles(new MemoryFiles(), { memoryLimit: 6 * MEBIBYTE });
    const collection = await database.collection('c', CONFIG);
    await fill(collection, 500);
    const count = await collection.count();
    const make = async () => {
      for (let number = 0; number < 100; number++) await database.collection(`c${number}`, CONFIG);
    };
    await expect(make()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await expect(collection.setQuantization('int8')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(await collection.count()).toBe(count);
    expect(await memoryOf(database)).toBeLessThan(6 * MEBIBYTE);
    await database.close();
  });

  it('what exact queries of a quantised collection keep counts, and is kept only where there is room', async () => {
    const database = await openFiles(new MemoryFiles(), { memoryLimit: 6 * MEBIBYTE });
    const collection = await database.collection('c', { ...CONFIG, quantization: 'int8' });
    const takenByQuery = async () => {
      const before = await memoryOf(database);
      await collection.query({ vector: vectorOf(1, DIMENSIONS), exact: true });
      return (await memoryOf(database)) - before;
    };
    await collection.insert(batchOf(500_000, 100, 10));
    expect(await takenByQuery()).toBeGreaterThan(0.3 * MEBIBYTE);
    // Writes come first.
    let from = 0;
    const takenWhenFull = async () => {
      await fill(collection, 50, from);
      from += 1_000_000;
      return takenByQuery();
    };
    // An index that is calibrated anew stands beside the old one for a while, and leaves room when it is done.
    await expect.poll(takenWhenFull, { timeout: 30_000 }).toBeLessThan(0.1 * MEBIBYTE);
    await database.close();
  });
});

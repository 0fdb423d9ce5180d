import { describe, expect, it } from 'vitest';
import type { Collection, Database, OpenOptions } from '../../src/base/api.ts';
import { IsovecError } from '../../src/base/errors.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';
import { LOG_CARE, type LogCare } from '../../src/store/log-care.ts';
import { openLocal } from '../../src/store/open.ts';
import { vectorOf } from './fixture.ts';
import { memoryPlatform } from './memory-platform.ts';

const NEVER: LogCare = {
  ...LOG_CARE,
  checkpointBytesMin: Number.POSITIVE_INFINITY,
  checkpointEntriesMax: Number.POSITIVE_INFINITY,
  idleBytesMin: Number.POSITIVE_INFINITY,
  idleEntriesMin: Number.POSITIVE_INFINITY,
};
const BUSY: LogCare = { ...LOG_CARE, checkpointBytesMin: 4096, checkpointBytesMax: 16_384, idleMs: 100_000 };

interface Opening {
  files?: MemoryFiles;
  care: LogCare;
  wrap?: (backend: StorageBackend) => StorageBackend;
  options?: OpenOptions;
}

let places = 0;

/** The manifest of a database without collections is smaller. */
const MANIFEST_OF_NEW_BYTES = 200;

function open({ files = new MemoryFiles(), care, wrap, options = {} }: Opening): Promise<Database> {
  const location = `maintenance-${++places}`;
  return openLocal(memoryPlatform(new Map([[location, files]]), wrap), location, options, care);
}

const record = (index: number) => ({ id: `id${index}`, vector: vectorOf(index, 8), metadata: { index } });
const logOf = async (database: Database) => (await database.stats()).log;

describe('maintenance', () => {
  it('compacts a collection in the background when half of it is garbage, and loses nothing', async () => {
    const care = { ...BUSY, checkpointEntriesMax: 5, garbageRowsMin: 20 };
    const files = new MemoryFiles();
    const database = await open({ files, care });
    const collection = await database.collection('c', { dimensions: 8 });
    let garbageMax = 0;
    for (let step = 0; step < 400; step++) {
      await collection.upsert({ ...record(step % 40), metadata: { step } });
      garbageMax = Math.max(garbageMax, (await collection.info()).garbage);
    }
    expect(garbageMax).toBeLessThan(200);
    await expect.poll(async () => (await collection.info()).garbage).toBeLessThan(40);
    await database.close();
    const again = await (await open({ files, care })).collection('c');
    for (let index = 0; index < 40; index++)
      expect(await again.get(`id${index}`)).toMatchObject({ metadata: { step: 360 + index } });
  });

  const patterns: Record<string, (database: Database, collection: Collection, step: number) => unknown> = {
    'one record at a time': (_, collection, step) => collection.insert(record(step)),
    'replacing one record': (_, collection) => collection.upsert(record(0)),
    'deletes only': (_, collection, step) => collection.delete(`old${step}`),
    'collections made': (database, _, step) => database.collection(`c${step}`, { dimensions: 1 }),
    'collections made and dropped': async (database) => {
      await database.collection('passing', { dimensions: 1 });
      await database.dropCollection('passing');
    },
  };

  it.each(
    Object.keys(patterns).flatMap((name) => [
      { name, durability: 'strict' as const },
      { name, durability: 'relaxed' as const },
    ]),
  )('keeps the log within bounds under $name ($durability)', async ({ name, durability }) => {
    const care = { ...BUSY, checkpointEntriesMax: 50 };
    const database = await open({ care, options: { durability } });
    const collection = await database.collection('c', { dimensions: 8 });
    const old = Array.from({ length: 400 }, (_, index) => ({ ...record(index), id: `old${index}` }));
    await collection.insert(old);
    let entriesMax = 0;
    for (let step = 0; step < 400; step++) {
      await patterns[name]!(database, collection, step);
      const { entries, bytes } = await logOf(database);
      entriesMax = Math.max(entriesMax, entries);
      expect(bytes).toBeLessThan(100_000);
    }
    expect(entriesMax).toBeLessThanOrEqual(care.overrunFactor * 50 + 10);
    await database.close();
  });

  it('makes a checkpoint by itself when nothing has been written for a while', async () => {
    const database = await open({ care: { ...NEVER, idleMs: 1, idleEntriesMin: 3 } });
    const collection = await database.collection('c', { dimensions: 8 });
    await collection.insert(record(1));
    await collection.insert(record(2));
    await expect.poll(async () => (await logOf(database)).entries, { timeout: 20_000 }).toBe(0);
    expect((await database.stats()).lastCheckpoint?.sequence).toBe(3);
    await database.close();
  });

  it('leaves a log alone that is not worth a checkpoint, and every log when read-only', async () => {
    const files = new MemoryFiles();
    const database = await open({ files, care: { ...NEVER, idleMs: 1 } });
    const collection = await database.collection('c', { dimensions: 8 });
    await collection.insert(record(1));
    const reader = await open({
      files,
      care: { ...BUSY, checkpointBytesMin: 1, idleMs: 1, idleEntriesMin: 0, idleBytesMin: 0 },
      options: { readOnly: true },
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await logOf(database)).toMatchObject({ entries: 2, segments: 1 });
    expect(await logOf(reader)).toEqual(await logOf(database));
    await reader.close();
    await database.close();
  });

  it('warns of a checkpoint that fails, tries again by itself, and goes on taking writes meanwhile', async () => {
    let failing = true;
    const wrap = (backend: StorageBackend) => {
      const { replace } = backend;
      backend.replace = async (name, content) => {
        if (failing && content.length > MANIFEST_OF_NEW_BYTES)
          throw new IsovecError('QUOTA_EXCEEDED', 'the device is full');
        await replace.call(backend, name, content);
      };
      return backend;
    };
    const files = new MemoryFiles();
    const care = { ...BUSY, checkpointEntriesMax: 10, retryMs: 1, retryMaxMs: 20 };
    const database = await open({ files, care, wrap });
    const warnings: string[] = [];
    database.on('warning', ({ code }) => warnings.push(code));
    const collection = await database.collection('c', { dimensions: 8 });
    for (let index = 0; index < 30; index++) await collection.insert(record(index));
    await expect.poll(() => warnings.length, { timeout: 20_000 }).toBeGreaterThan(3);
    expect(new Set(warnings)).toEqual(new Set(['QUOTA_EXCEEDED']));
    expect(await collection.count()).toBe(30);
    failing = false;
    await expect.poll(async () => (await logOf(database)).entries, { timeout: 20_000 }).toBe(0);
    const again = await open({ files, care: NEVER });
    expect(await (await again.collection('c')).count()).toBe(30);
    await again.close();
    await database.close();
  });

  it('does not keep a process alive for its timers', async () => {
    const timers: unknown[] = [];
    const real = globalThis.setTimeout;
    const spy = (...given: Parameters<typeof setTimeout>) => {
      const timer = real(...given);
      if (given[1] === 98_765) timers.push(timer);
      return timer;
    };
    globalThis.setTimeout = Object.assign(spy, real);
    try {
      const database = await open({ care: { ...NEVER, idleMs: 98_765 } });
      await database.collection('c', { dimensions: 8 });
      expect(timers.map((timer) => (timer as NodeJS.Timeout).hasRef())).toEqual([false]);
      await database.close();
    } finally {
      globalThis.setTimeout = real;
    }
  });
});

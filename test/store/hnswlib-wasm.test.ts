import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CollectionConfig, Database } from '../../src/base/api.ts';
import type { MemoryFiles } from '../../src/storage/memory.ts';
import { destroyLocal } from '../../src/store/destroy.ts';
import { openLocal } from '../../src/store/open.ts';
import { checkOpenOptions } from '../../src/store/open-options.ts';
import { vectorOf } from './fixture.ts';
import { memoryPlatform } from './memory-platform.ts';
import { describeStore } from './suite.ts';

const files = new Map<string, MemoryFiles>();
const platform = memoryPlatform(files);
const LIBRARY = 'hnswlib-wasm/dist/hnswlib-317962d7.js';
const HNSWLIB: CollectionConfig = { dimensions: 8, index: { engine: 'hnswlib-wasm' } };

describeStore({
  name: 'a store whose every collection is searched by hnswlib-wasm',
  open: async (location, options = {}) => {
    checkOpenOptions(location, options);
    return withHnswlib(await openLocal(platform, location, options));
  },
  destroy: (location, options = {}) => destroyLocal(platform, location, options),
  sharesWriting: true,
  hasNoQuantization: true,
  propertyRuns: 5,
});

/** A database that creates every collection with this engine. */
function withHnswlib(database: Database): Database {
  return new Proxy(database, {
    get(target, key) {
      if (key === 'collection')
        return (name: string, config?: CollectionConfig) =>
          target.collection(name, config && engined(config));
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** What it cannot do is left as it is. */
function engined(config: CollectionConfig): CollectionConfig {
  const { index } = config;
  if (index !== undefined && (typeof index !== 'object' || index?.type === 'flat')) return config;
  return { ...config, index: { engine: 'hnswlib-wasm', ...index } };
}

describe('the engine hnswlib-wasm', () => {
  afterEach(() => {
    vi.doUnmock(LIBRARY);
    files.clear();
  });

  it('is part of what is stored', async () => {
    const database = await openLocal(platform, 'stored', {});
    await database.collection('c', HNSWLIB);
    await database.collection('d', { dimensions: 8 });
    await expect(
      database.collection('c', { dimensions: 8, index: { engine: 'isovec' } }),
    ).rejects.toMatchObject({
      code: 'CONFIG_MISMATCH',
      details: { mismatches: [{ field: 'index.engine', stored: 'hnswlib-wasm', given: 'isovec' }] },
    });
    await expect(database.collection('d', HNSWLIB)).rejects.toMatchObject({ code: 'CONFIG_MISMATCH' });
    await database.close();
    const again = await openLocal(platform, 'stored', {});
    const [c, d] = await again.collections();
    expect(c!.config.index).toMatchObject({ engine: 'hnswlib-wasm', type: 'hnsw' });
    expect(d!.config.index).toMatchObject({ engine: 'isovec', type: 'hnsw' });
    await again.collection('c', { dimensions: 8 });
    await again.close();
  });

  it('is built anew on opening, and finds everything from the first query on', async () => {
    const database = await openLocal(platform, 'reopened', {});
    const collection = await database.collection('c', HNSWLIB);
    const records = Array.from({ length: 2000 }, (_, row) => ({
      id: String(row),
      vector: vectorOf(row + 1, 8),
    }));
    await collection.insert(records);
    await database.close();
    const again = await openLocal(platform, 'reopened', {});
    const reopened = await again.collection('c');
    expect((await reopened.query({ vector: vectorOf(700, 8), topK: 1 }))[0]!.id).toBe('699');
    await expect.poll(async () => (await reopened.info()).indexed, { timeout: 30_000 }).toBe(2000);
    expect((await reopened.query({ vector: vectorOf(700, 8), topK: 1 }))[0]!.id).toBe('699');
    await again.close();
  });

  it.each([
    ["type 'flat'", { ...HNSWLIB, index: { engine: 'hnswlib-wasm', type: 'flat' } }, 'config.index.type'],
    ["quantization 'int8'", { ...HNSWLIB, quantization: 'int8' }, 'config.quantization'],
  ] satisfies [string, CollectionConfig, string][])('does not do %s', async (_, config, path) => {
    const database = await openLocal(platform, 'combined', {});
    await expect(database.collection('c', config)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      details: { path },
    });
    expect(await database.collections()).toEqual([]);
    await database.close();
  });

  it('says what to install where the package is missing, and creates nothing', async () => {
    vi.doMock(LIBRARY, () => {
      throw new Error("Cannot find package 'hnswlib-wasm'");
    });
    const database = await openLocal(platform, 'absent', {});
    await expect(database.collection('c', HNSWLIB)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('npm install hnswlib-wasm@0.8.2'),
      details: { path: 'config.index.engine' },
    });
    expect(await database.collections()).toEqual([]);
    const collection = await database.collection('c', { dimensions: 1 });
    await collection.insert({ id: 'a', vector: [1] });
    await database.close();
  });

  it.each([
    ['stored', true],
    ['only in the log', false],
  ])('cannot be opened without the package, where its collection is %s', async (_, isStored) => {
    const location = 'left';
    const database = await openLocal(platform, location, {});
    await (await database.collection('c', HNSWLIB)).insert({ id: 'a', vector: vectorOf(1, 8) });
    if (isStored) await database.checkpoint();
    vi.doMock(LIBRARY, () => ({
      default: () => Promise.reject(new EvalError('refused')),
    }));
    await expect(openLocal(platform, location, { readOnly: true })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('unsafe-eval'),
    });
    await database.close();
  });
});

import { describe, expect, it, vi } from 'vitest';
import type { DatabaseEvents } from '../../src/base/api.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import { DELAY_MS_MAX } from '../../src/storage/retrying.ts';
import { destroyLocal } from '../../src/store/destroy.ts';
import { openLocal } from '../../src/store/open.ts';
import type { EngineOptions } from '../../src/store/open-options.ts';
import type { Platform } from '../../src/store/platform.ts';
import { type Fault, FlakyProvider } from '../storage/flaky-provider.ts';
import { withThree } from './fixture.ts';
import { memoryPlatform } from './memory-platform.ts';

/** Memory that fails as it is told to. */
function flakyPlatform(nextFault: () => Fault): Platform {
  const platform = memoryPlatform(new Map());
  return {
    ...platform,
    async storage(kind, location) {
      const found = await platform.storage(kind, location);
      return { ...found, provider: new FlakyProvider(found.provider, nextFault) };
    },
  };
}

describe('a storage that fails for a moment', () => {
  it('is tried again, which shows in one warning for each operation, and in stats', async () => {
    const faults: Fault[] = ['transient', 'transient'];
    const platform = flakyPlatform(() => faults.shift() ?? 'none');
    const database = await openLocal(platform, 'flaky', {});
    const warnings: DatabaseEvents['warning'][] = [];
    database.on('warning', (warning) => warnings.push(warning));
    expect(warnings).toMatchObject([
      { code: 'STORAGE_IO', message: expect.stringContaining('will be tried again') },
    ]);
    expect((await database.stats()).storage.retries).toBe(2);
    const collection = await database.collection('three', { dimensions: 3 });
    faults.push('transient, done');
    await collection.insert({ id: 'x', vector: [1, 2, 3] });
    expect(warnings).toHaveLength(2);
    expect((await database.stats()).storage.retries).toBe(3);
    await database.close();
    faults.push('transient');
    await destroyLocal(platform, 'flaky', {});
    await expect(openLocal(platform, 'flaky', { create: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('gives up after a while, and takes writes again when that is over', async () => {
    let fault: Fault = 'none';
    const database = await openLocal(
      flakyPlatform(() => fault),
      'flaky',
      {},
    );
    const collection = await withThree(database);
    fault = 'transient';
    const failed = { code: 'STORAGE_IO', details: { transient: true } };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const refused = expect(collection.insert({ id: 'lost', vector: [1, 2, 3] })).rejects;
      let isOver = false;
      const over = refused.toMatchObject(failed).finally(() => {
        isOver = true;
      });
      while (!isOver) await vi.advanceTimersByTimeAsync(DELAY_MS_MAX);
      await over;
    } finally {
      vi.useRealTimers();
    }
    fault = 'none';
    expect(await collection.count()).toBe(3);
  });

  it('is not tried again where opening has been given up', async () => {
    const controller = new AbortController();
    const platform = flakyPlatform(() => 'transient');
    const opening = openLocal(platform, 'flaky', { signal: controller.signal });
    controller.abort();
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('a database that has been emptied', () => {
  const since = Date.UTC(2026, 0, 2);

  async function warningsOf(options: EngineOptions): Promise<DatabaseEvents['warning'][]> {
    const warnings: DatabaseEvents['warning'][] = [];
    const database = await openLocal(memoryPlatform(new Map()), 'place', options);
    database.on('warning', (warning) => warnings.push(warning));
    await database.close();
    return warnings;
  }

  it('is told from a new one by its traces', async () => {
    expect(await warningsOf({ traces: { memory: since } })).toEqual([
      {
        code: 'NOT_FOUND',
        message: expect.stringContaining("'place', known here since 2026-01-02T00:00:00.000Z"),
        details: { location: 'place', storage: 'memory', knownSince: new Date(since) },
      },
    ]);
  });

  it('in another kind of storage is only meant where the kind was not chosen', async () => {
    expect(await warningsOf({ traces: { indexeddb: since } })).toMatchObject([
      { code: 'NOT_FOUND', details: { storage: 'indexeddb' } },
    ]);
    expect(await warningsOf({ storage: 'memory', traces: { indexeddb: since } })).toEqual([]);
    expect(await warningsOf({})).toEqual([]);
  });

  it('is not what is there', async () => {
    const platform = memoryPlatform(new Map());
    await (await openLocal(platform, 'place', {})).close();
    const database = await openLocal(platform, 'place', { traces: { memory: since } });
    const warnings: unknown[] = [];
    database.on('warning', (warning) => warnings.push(warning));
    await database.close();
    expect(warnings).toEqual([]);
  });

  it('in part is refused with CORRUPTION, whichever file of the last checkpoint is gone', async () => {
    const files = new MemoryFiles();
    const database = await openLocal(memoryPlatform(new Map([['place', files]])), 'place', {});
    const collection = await withThree(database);
    await database.checkpoint();
    await collection.delete('y');
    await database.checkpoint();
    const truth = [...files.keys()].filter((name) => name === 'manifest' || name.startsWith('data-'));
    expect(truth.length).toBeGreaterThan(3);
    for (const gone of truth) {
      const location = `without ${gone}`;
      const left = new MemoryFiles([...files].filter(([name]) => name !== gone));
      const platform = memoryPlatform(new Map([[location, left]]));
      for (const options of [{}, { readOnly: true }, { create: false }])
        await expect(openLocal(platform, location, options), gone).rejects.toMatchObject({
          code: 'CORRUPTION',
          details: { file: gone },
        });
    }
  });
});

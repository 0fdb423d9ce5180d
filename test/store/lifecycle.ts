import { expect, it } from 'vitest';
import type { Collection, CollectionConfig } from '../../src/base/api.ts';
import { type NewLocation, type Open, type Store, vectorOf, withThree } from './fixture.ts';

/** Collections, opening, closing, reopening. */
export function lifecycle(open: Open, newLocation: NewLocation, store: Store): void {
  configs(open, newLocation);
  states(open, newLocation, store);
}

function configs(open: Open, newLocation: NewLocation): void {
  it('keeps collections apart, lists them, and drops one for good', async () => {
    const location = newLocation();
    const database = await open(location);
    const first = await withThree(database);
    await (await database.collection('other', { dimensions: 1, metric: 'dot' })).insert({
      id: 'x',
      vector: [0],
    });
    expect((await database.collections()).map(({ name, count: held }) => [name, held])).toEqual([
      ['three', 3],
      ['other', 1],
    ]);
    await database.dropCollection('three');
    await expect(first.count()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(database.collection('three')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(database.dropCollection('three')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await database.close();
    const again = await open(location);
    expect((await again.collections()).map(({ name }) => name)).toEqual(['other']);
    expect(await (await again.collection('three', { dimensions: 2 })).count()).toBe(0);
  });

  it('answers info with every default filled in', async () => {
    const collection = await withThree(await open());
    expect(await collection.info()).toMatchObject({
      name: 'three',
      count: 3,
      garbage: 0,
      config: {
        dimensions: 3,
        metric: 'cosine',
        quantization: 'none',
        index: { type: 'hnsw', m: 16, efConstruction: 200, efSearch: 64 },
      },
    });
  });

  it('opens a collection under the config that it has, and under no other', async () => {
    const location = newLocation();
    const database = await open(location);
    await database.collection('c', { dimensions: 3, metric: 'dot', index: { m: 8 } });
    await database.collection('c');
    await database.collection('c', { dimensions: 3, index: { m: 8 } });
    const contradictions = [
      { dimensions: 4 },
      { dimensions: 3, metric: 'cosine' as const },
      { dimensions: 3, index: { m: 16 } },
      { dimensions: 3, index: { type: 'flat' as const } },
    ];
    for (const config of contradictions)
      await expect(database.collection('c', config)).rejects.toMatchObject({ code: 'CONFIG_MISMATCH' });
    await database.close();
    await expect((await open(location)).collection('c', { dimensions: 5 })).rejects.toMatchObject({
      code: 'CONFIG_MISMATCH',
      details: { collection: 'c', mismatches: [{ field: 'dimensions', stored: 3, given: 5 }] },
    });
  });

  it('says what changes a config where something does', async () => {
    const database = await open();
    // The engine that can all of it.
    const given: CollectionConfig = { dimensions: 3, index: { engine: 'isovec' } };
    await database.collection('c', given);
    const messageOf = (config: Partial<CollectionConfig>) =>
      database.collection('c', { ...given, ...config }).then(
        () => '',
        ({ message }: Error) => message,
      );
    expect(await messageOf({ fields: { year: 'number' } })).toMatch(/setFields\(\)/);
    expect(await messageOf({ schema: { type: 'object' } })).toMatch(/setSchema\(\)/);
    expect(await messageOf({ quantization: 'int8' })).toMatch(/setQuantization\(\)/);
    expect(await messageOf({ metric: 'dot' })).not.toMatch(/set/);
  });

  it('keeps the fingerprint of what makes the vectors, and opens for no other', async () => {
    const location = newLocation();
    const database = await open(location);
    const config = { dimensions: 2, embedding: { fingerprint: 'model 1' } };
    expect((await (await database.collection('c', config)).info()).config).toMatchObject(config);
    await database.collection('unnamed', { dimensions: 2 });
    await database.checkpoint();
    await database.close();
    const again = await open(location);
    expect((await (await again.collection('c', { dimensions: 2 })).info()).config).toMatchObject(config);
    await again.collection('c', config);
    for (const name of ['c', 'unnamed'])
      await expect(
        again.collection(name, { dimensions: 2, embedding: { fingerprint: 'model 2' } }),
      ).rejects.toMatchObject({
        code: 'CONFIG_MISMATCH',
        details: { mismatches: [{ field: 'embedding.fingerprint', given: 'model 2' }] },
      });
  });

  it.each([
    [{}, 'config.dimensions'],
    [{ dimensions: 0 }, 'config.dimensions'],
    [{ dimensions: 65_537 }, 'config.dimensions'],
    [{ dimensions: 2.5 }, 'config.dimensions'],
    [{ dimensions: 2, metric: 'manhattan' }, 'config.metric'],
    [{ dimensions: 2, index: { m: 1 } }, 'config.index.m'],
    [{ dimensions: 2, index: { efsearch: 10 } }, 'config.index.efsearch'],
    [{ dimensions: 2, index: { linkCodes: 1 } }, 'config.index.linkCodes'],
    [{ dimensions: 2, dimension: 2 }, 'config.dimension'],
    [{ dimensions: 2, maxMagnitude: 0 }, 'config.maxMagnitude'],
    [{ dimensions: 2, embedding: { fingerprint: '' } }, 'config.embedding.fingerprint'],
    [{ dimensions: 2, embedding: { model: 'm' } }, 'config.embedding.model'],
    [{ dimensions: 2, fields: { year: 'text' } }, 'config.fields.year'],
    [{ dimensions: 2, fields: ['year'] }, 'config.fields'],
  ])('refuses the config %j, naming %s', async (config, path) => {
    const database = await open();
    await expect(database.collection('bad', config as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path },
    });
    expect(await database.collections()).toEqual([]);
  });
}

function states(open: Open, newLocation: NewLocation, store: Store): void {
  it('fails with CLOSED after close, which may be called again', async () => {
    const database = await open();
    const collection = await withThree(database);
    await database.close();
    await database.close();
    const calls = [
      () => collection.query({ vector: [1, 0, 0] }),
      () => collection.insert({ vector: [1, 0, 0] }),
      () => collection.get('x'),
      () => collection.count(),
      () => collection.scan()[Symbol.asyncIterator]().next(),
      () => database.collection('three'),
      () => database.stats(),
      () => database.flush(),
      () => database.checkpoint(),
      () => database.verify(),
      () => database.repair(),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ code: 'CLOSED', details: { closed: 'database' } });
  });

  it('finishes what was under way when it is closed', async () => {
    const location = newLocation();
    const database = await open(location);
    const collection = await withThree(database);
    const inserted = collection.insert({ id: 'last', vector: [1, 2, 3] });
    await database.close();
    await inserted;
    expect(await (await (await open(location)).collection('three')).count()).toBe(4);
  });

  it.skipIf(store.sharesWriting)('keeps a second writer out until the first has closed', async () => {
    const location = newLocation();
    const database = await open(location);
    await expect(open(location, { lockTimeout: 50 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    const second = open(location);
    await database.close();
    expect(await (await second).collections()).toEqual([]);
  });

  it('answers the same after checkpoint, compaction and reopening', async () => {
    const location = newLocation();
    const database = await open(location);
    const collection = await withThree(database);
    await collection.upsert({ id: 'y', vector: [0, 2, 0], metadata: { axis: 'new' } });
    await collection.delete('xy');
    expect((await collection.info()).garbage).toBe(2);
    const answers = async (held: Collection) => ({
      hits: await held.query({ vector: [1, 1, 0], include: ['metadata', 'vector'] }),
      records: await held.get(['x', 'y', 'xy']),
    });
    const before = await answers(collection);
    await database.checkpoint();
    expect((await database.stats()).log).toMatchObject({ entries: 0 });
    expect(await answers(collection)).toEqual(before);
    expect(await database.compact()).toMatchObject({ recordsDropped: 2 });
    expect((await collection.info()).garbage).toBe(0);
    expect(await answers(collection)).toEqual(before);
    await collection.insert({ id: 'z', vector: [0, 0, 1] });
    await collection.delete('z');
    await database.close();
    expect(await answers(await (await open(location)).collection('three'))).toEqual(before);
  });

  it('is well by its own account, and has nothing to repair', async () => {
    const location = newLocation();
    const database = await open(location);
    const collection = await withThree(database);
    expect(await database.verify()).toMatchObject({ ok: true, problems: [] });
    await database.checkpoint();
    await collection.delete('x');
    await collection.insert({ id: 'z', vector: [0, 0, 1] });
    const { ok, filesChecked, bytesChecked } = await database.verify();
    expect(ok).toBe(true);
    // Both manifests, three files of the collection, and the log.
    expect(filesChecked).toBeGreaterThanOrEqual(6);
    expect(bytesChecked).toBeGreaterThan(1000);
    expect(await database.repair()).toEqual({ repaired: [], recordsRecovered: 0, recordsLost: [] });
    await database.close();
    const salvaged = await open(location, { recovery: 'salvage' });
    expect(await (await salvaged.collection('three')).count()).toBe(3);
    await (await salvaged.collection('three')).insert({ id: 'w', vector: [1, 1, 1] });
  });

  it('opens read-only without writing, and refuses every write', async () => {
    const location = newLocation();
    await expect(open(location, { readOnly: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const writer = await open(location);
    await withThree(writer);
    await writer.close();
    const reader = await open(location, { readOnly: true });
    const collection = await reader.collection('three');
    expect((await collection.query({ vector: [1, 0, 0], topK: 1 }))[0]!.id).toBe('x');
    const refused = [
      () => collection.insert({ vector: [1, 0, 0] }),
      () => collection.delete('x'),
      () => reader.collection('new', { dimensions: 1 }),
      () => reader.dropCollection('three'),
      () => reader.checkpoint(),
      () => reader.compact(),
    ];
    for (const call of refused) await expect(call()).rejects.toMatchObject({ code: 'READ_ONLY' });
    await reader.flush();
  });

  it('removes everything on destroy, and minds neither a missing database nor a second time', async () => {
    const location = newLocation();
    const database = await open(location);
    await withThree(database);
    await database.close();
    await store.destroy(location);
    await store.destroy(location);
    expect(await (await open(location)).collections()).toEqual([]);
  });

  it('reports what it holds in stats', async () => {
    const database = await open();
    await withThree(database);
    const stats = await database.stats();
    expect(stats).toMatchObject({ formatVersion: 1, log: { entries: 2, lastSequence: 2, segments: 1 } });
    expect(stats.log.bytes).toBeGreaterThan(0);
    expect(stats.log.oldestEntry).toBeInstanceOf(Date);
    expect(stats.diskBytes).toBeGreaterThanOrEqual(stats.log.bytes);
    expect(stats.memoryBytes).toBeGreaterThan(0);
    expect(stats.collections).toMatchObject([{ name: 'three', count: 3 }]);
    expect(stats.storage.retries).toBe(0);
    if (database.storage !== 'memory') expect(stats.storage.availableBytes).toBeGreaterThan(0);
  });

  it('makes nothing, not even a place, with create: false', async () => {
    const location = newLocation();
    const refused = { code: 'NOT_FOUND', message: expect.stringContaining(location) };
    await expect(open(location, { create: false })).rejects.toMatchObject(refused);
    await expect(open(location, { readOnly: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const database = await open(location);
    await withThree(database);
    await database.close();
    const again = await open(location, { create: false });
    expect(await (await again.collection('three')).count()).toBe(3);
  });

  it('catches up with its graph in the background, and says so', async () => {
    const database = await open();
    const collection = await database.collection('graph', { dimensions: 4 });
    await collection.insert(Array.from({ length: 500 }, (_, index) => ({ vector: vectorOf(index, 4) })));
    await expect.poll(async () => (await collection.info()).indexed, { timeout: 20_000 }).toBe(500);
  });

  it('leaves the graph as it is while indexing is paused, and finds everything all the same', async () => {
    const database = await open();
    const collection = await database.collection('paused', { dimensions: 4 });
    await database.pauseIndexing();
    for (let seed = 0; seed < 100; seed++)
      await collection.insert({ id: `${seed}`, vector: vectorOf(seed, 4) });
    expect((await collection.info()).indexed).toBe(0);
    const [nearest] = await collection.query({ vector: vectorOf(42, 4) });
    expect(nearest?.id).toBe('42');
    await database.resumeIndexing();
    await expect.poll(async () => (await collection.info()).indexed, { timeout: 20_000 }).toBe(100);
  });
}

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Database, OpenOptions } from '../../src/base/api.ts';
import { IsovecError } from '../../src/base/errors.ts';
import { MemoryBackend } from '../../src/storage/memory.ts';
import { describeStore } from '../store/suite.ts';
import { type Tab, TabWorld } from './tab-world.ts';

const world = new TabWorld();

describeStore({
  name: 'a store that another tab holds',
  open: async (location, options) => {
    const writer = await world.tab().open(location, options);
    if (options?.readOnly) return writer;
    const follower = await world.tab().open(location, options);
    const close = follower.close.bind(follower);
    follower.close = async () => {
      await close();
      await writer.close();
    };
    return follower;
  },
  destroy: (location, options) => world.tab().destroy(location, options),
  propertyRuns: 20,
  sharesWriting: true,
});

const CONFIG = { dimensions: 2, metric: 'dot' as const };
let locations = 0;

describe('tabs with one database', () => {
  const opened: Database[] = [];
  const newLocation = () => `tabs-${++locations}`;

  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
  });

  async function openTab(location: string, options?: OpenOptions) {
    const tab = world.tab();
    const database = await tab.open(location, options);
    let role = '';
    database.on('role', (told) => {
      role = told.role;
    });
    if (!options?.readOnly) await expect.poll(() => role).not.toBe('');
    opened.push(database);
    return { tab, database, role: () => role };
  }

  it('that open at the same instant get one writer, and each has the whole API', async () => {
    const location = newLocation();
    const tabs = await Promise.all(Array.from({ length: 10 }, () => openTab(location)));
    expect(tabs.map(({ role }) => role()).sort()).toEqual([...Array(9).fill('follower'), 'writer']);
    await Promise.all(
      tabs.map(async ({ database }, index) => {
        const collection = await database.collection('c', CONFIG);
        await collection.insert({ id: `r${index}`, vector: [index, 1] });
      }),
    );
    for (const { database } of tabs) expect(await (await database.collection('c')).count()).toBe(10);
  });

  it('hear of each other’s commits', async () => {
    const location = newLocation();
    const tabs = [await openTab(location), await openTab(location), await openTab(location)];
    const heard = tabs.map(({ database }) => {
      const commits: string[][] = [];
      database.on('commit', ({ collections }) => commits.push(collections));
      return commits;
    });
    await tabs[1]!.database.collection('c', CONFIG);
    await expect.poll(() => heard).toEqual([[['c']], [['c']], [['c']]]);
  });

  it('read what a writer replaces without being heard, by reading it anew', async () => {
    const location = newLocation();
    const writer = await openTab(location);
    await (await writer.database.collection('c', CONFIG)).insert({ id: 'a', vector: [1, 1] });
    await writer.database.close();
    const reader = await openTab(location, { readOnly: true });
    const read = await reader.database.collection('c');
    const silent = world.tab();
    silent.isMute = true;
    const database = await silent.open(location);
    const collection = await database.collection('c');
    await collection.insert({ id: 'b', vector: [1, 1] });
    await collection.delete('a');
    await database.compact();
    await database.close();
    expect((await read.get(['a', 'b'])).map((record) => record?.id)).toEqual([undefined, 'b']);
  });

  it('open what nobody holds, however little patience they have', async () => {
    for (let round = 0; round < 20; round++) await openTab(newLocation(), { lockTimeout: round % 3 });
  });

  it('warn of what fails while they hand over, for nobody waits for it', async () => {
    const { tab, database } = await openTab(newLocation());
    const warnings: string[] = [];
    database.on('warning', ({ code }) => warnings.push(code));
    const closing = vi.spyOn(MemoryBackend.prototype, 'close');
    closing.mockRejectedValueOnce(new IsovecError('STORAGE_IO', 'no more'));
    tab.suspend();
    await expect.poll(() => warnings).toEqual(['STORAGE_IO']);
    closing.mockRestore();
    tab.resume();
  });

  it.each(['closes', 'is killed', 'is suspended'] as const)(
    'carry on when the writer %s, with what had not been answered',
    async (fate) => {
      const location = newLocation();
      const writer = await openTab(location);
      const follower = await openTab(location);
      const collection = await follower.database.collection('c', CONFIG);
      const inserting = Array.from({ length: 50 }, (_, index) =>
        collection.insert({ id: `r${index}`, vector: [index, 1] }),
      );
      await inserting[10];
      if (fate === 'closes') void writer.database.close();
      else if (fate === 'is killed') kill(writer);
      else writer.tab.suspend();
      await Promise.all(inserting);
      expect(await collection.count()).toBe(50);
      expect(follower.role()).toBe('writer');
      if (fate !== 'is suspended') return;
      const late = writer.database.collection('c');
      writer.tab.resume();
      expect(await (await late).count()).toBe(50);
      await expect.poll(() => writer.role()).toBe('follower');
    },
  );

  it('go on with a scan when its writer has gone', async () => {
    const location = newLocation();
    const writer = await openTab(location);
    const follower = await openTab(location);
    const collection = await follower.database.collection('c', CONFIG);
    await collection.insert(Array.from({ length: 100 }, (_, index) => ({ id: `r${index}`, vector: [1, 1] })));
    const seen: string[] = [];
    for await (const { id } of collection.scan({ batchSize: 7 })) {
      seen.push(id);
      if (seen.length === 30) kill(writer);
      if (seen.length === 50) await collection.upsert({ id: 'r90', vector: [2, 2] });
      if (seen.length === 50) await collection.insert({ id: 'new', vector: [2, 2] });
      if (seen.length === 50) await collection.delete('r95');
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => `r${index}`).filter((id) => id !== 'r95'));
  });

  it('reject an open transaction when its writer has gone, and forget those of a tab that has', async () => {
    const location = newLocation();
    const writer = await openTab(location);
    const follower = await openTab(location);
    const third = await openTab(location);
    const collection = await follower.database.collection('c', CONFIG);
    const stuck = third.database.transaction(async (tx) => {
      await tx.collection('c').insert({ id: 'never', vector: [1, 1] });
      kill(third);
      await new Promise(() => {});
    });
    stuck.catch(() => {});
    const transaction = follower.database.transaction(async (tx) => {
      await tx.collection('c').insert({ id: 'gone', vector: [1, 1] });
      kill(writer);
      await tx.collection('c').insert({ id: 'too', vector: [1, 1] });
    });
    await expect(transaction).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await collection.count()).toBe(0);
  });

  it('keep the promise of the one that asks for more: strict, though the writer is relaxed', async () => {
    const location = newLocation();
    const writer = await openTab(location, { durability: 'relaxed', syncInterval: 1_000_000 });
    const follower = await openTab(location);
    const flushed: number[] = [];
    writer.database.on('commit', ({ sequence }) => flushed.push(sequence));
    const collection = await follower.database.collection('c', CONFIG);
    await collection.insert({ vector: [1, 1] });
    expect(flushed).toEqual([1, 2]);
  });

  it('say LOCK_TIMEOUT where nobody answers, when opening and afterwards', async () => {
    const location = newLocation();
    const mute = world.tab();
    const release = await world.lock(mute, `lock:${location}`);
    await expect(openTab(location, { lockTimeout: 50 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    release();
    expect((await openTab(location)).role()).toBe('writer');
  });

  it('read on, whoever comes and goes: nobody, a writer that compacts, the next one', async () => {
    const location = newLocation();
    const first = await openTab(location);
    const written = await first.database.collection('c', CONFIG);
    await written.insert([
      { id: 'a', vector: [1, 1] },
      { id: 'b', vector: [2, 1] },
    ]);
    await first.database.close();
    const readers = [
      await openTab(location, { readOnly: true }),
      await openTab(location, { readOnly: true }),
    ];
    const read = await Promise.all(readers.map(({ database }) => database.collection('c', CONFIG)));
    const expectIds = async (ids: string[]) => {
      for (const each of read) {
        const found = [];
        for await (const { id } of each.scan({ batchSize: 1 })) found.push(id);
        expect(found).toEqual(ids);
        expect((await each.get(ids)).map((record) => record?.id)).toEqual(ids);
      }
    };
    await expectIds(['a', 'b']);
    const second = await openTab(location);
    const rewritten = await second.database.collection('c');
    await rewritten.delete('a');
    await expectIds(['b']);
    await second.database.compact();
    await rewritten.insert({ id: 'c', vector: [3, 1] });
    await expectIds(['b', 'c']);
    const third = await openTab(location);
    await rewritten.insert({ id: 'd', vector: [4, 1] });
    kill(second);
    await expectIds(['b', 'c', 'd']);
    await (await third.database.collection('c')).delete('b');
    await third.database.compact();
    await third.database.close();
    await expectIds(['c', 'd']);
    for (const { role, database } of readers) {
      expect(role()).toBe('');
      await expect(database.collection('none', CONFIG)).rejects.toMatchObject({ code: 'READ_ONLY' });
      await expect(database.transaction(() => 1)).rejects.toMatchObject({ code: 'READ_ONLY' });
    }
  });

  it('read by themselves, beside a writer that gives no sign of life, until it does again', async () => {
    const location = newLocation();
    const writer = await openTab(location);
    const collection = await writer.database.collection('c', CONFIG);
    await collection.insert({ id: 'a', vector: [1, 1] });
    const reader = await openTab(location, { readOnly: true });
    const read = await reader.database.collection('c');
    expect(await read.count()).toBe(1);
    writer.tab.stand();
    expect(await read.count()).toBe(1);
    const later = await openTab(location, { readOnly: true });
    expect(await (await later.database.collection('c')).count()).toBe(1);
    writer.tab.goOn();
    await collection.insert({ id: 'b', vector: [1, 1] });
    for (const { database } of [reader, later])
      await expect.poll(async () => (await database.collection('c')).count()).toBe(2);
  });

  it('refuse what belongs to a collection that has been dropped, also by the next writer', async () => {
    const location = newLocation();
    const writer = await openTab(location);
    const follower = await openTab(location);
    const collection = await follower.database.collection('c', CONFIG);
    await writer.database.dropCollection('c');
    await writer.database.collection('c', CONFIG);
    kill(writer);
    await expect(collection.count()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await (await follower.database.collection('c')).count()).toBe(0);
  });

  function kill({ tab, database }: { tab: Tab; database: Database }): void {
    tab.kill();
    opened.splice(opened.indexOf(database), 1);
  }
});

import { afterEach, describe, expect, it } from 'vitest';
import { cdp } from 'vitest/browser';
import { type Database, type DatabaseEvents, destroy, type OpenOptions, open } from '../../dist/index.js';

const opened: Database[] = [];

/** @returns the warnings of opening, too */
async function openAndListen(
  location: string,
  options: OpenOptions,
): Promise<{ database: Database; warnings: DatabaseEvents['warning'][] }> {
  const database = await open(location, options);
  opened.push(database);
  const warnings: DatabaseEvents['warning'][] = [];
  database.on('warning', (warning) => warnings.push(warning));
  // Warnings come as messages, ahead of the answer to a later call.
  await database.stats();
  return { database, warnings };
}

async function make(location: string, options: OpenOptions): Promise<void> {
  const { database, warnings } = await openAndListen(location, options);
  await (await database.collection('c', { dimensions: 2 })).insert({ id: 'a', vector: [1, 2] });
  await database.close();
  expect(warnings).toEqual([]);
}

afterEach(async () => {
  const places = opened.splice(0);
  for (const database of places) await database.close();
  for (const { location: place, storage } of places) await destroy(place, { storage });
});

async function clearOpfs(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry('isovec', { recursive: true });
}

async function deleteIndexedDb(location: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.deleteDatabase(`isovec:${location}`);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

/** All but localStorage: what Chromium removes when it evicts an origin. */
async function evictOrigin(): Promise<void> {
  await cdp().send('Storage.clearDataForOrigin', {
    origin: location.origin,
    storageTypes: 'file_systems,indexeddb,cache_storage,service_workers',
  });
}

describe('a database emptied behind its back', () => {
  const cases = [
    { storage: 'opfs', by: 'OPFS being cleared', empty: clearOpfs },
    { storage: 'indexeddb', by: 'the deletion of its IndexedDB database', empty: deleteIndexedDb },
    { storage: 'opfs', by: 'the eviction of its origin', empty: evictOrigin },
    { storage: 'indexeddb', by: 'the eviction of its origin', empty: evictOrigin },
    { storage: 'auto', by: 'the eviction of its origin', empty: evictOrigin },
  ] as const;

  for (const { storage, by, empty } of cases)
    it(`in storage '${storage}' by ${by} is made anew with a warning, once`, async () => {
      const place = crypto.randomUUID();
      await make(place, { storage });
      await empty(place);
      await expect(open(place, { storage, create: false })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(open(place, { storage, readOnly: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const { database, warnings } = await openAndListen(place, { storage });
      expect(await database.collections()).toEqual([]);
      expect(warnings).toMatchObject([
        { code: 'NOT_FOUND', details: { location: place, storage: database.storage } },
      ]);
      expect(warnings[0]!.details!.knownSince).toBeInstanceOf(Date);
      await database.close();
      expect((await openAndListen(place, { storage })).warnings).toEqual([]);
    });

  it('is told from one that was destroyed', async () => {
    for (const storage of ['opfs', 'indexeddb', 'auto'] as const) {
      const place = crypto.randomUUID();
      await make(place, { storage });
      await destroy(place, { storage });
      await make(place, { storage });
      await destroy(place);
    }
    expect(Object.keys(localStorage).filter((key) => key.startsWith('isovec:'))).toEqual([]);
  });
});

describe('the storage of an origin', () => {
  it('is described in stats: what it takes, what it may take, and whether it is persistent', async () => {
    for (const worker of ['auto', false] as const) {
      const place = crypto.randomUUID();
      const { database } = await openAndListen(place, { storage: 'indexeddb', worker });
      const { storage } = await database.stats();
      const { quota } = await navigator.storage.estimate();
      expect(storage.persisted).toBe(await navigator.storage.persisted());
      expect(storage.quotaBytes).toBeGreaterThan(0);
      expect(storage.quotaBytes! / quota!).toBeCloseTo(1, 1);
      expect(storage.availableBytes).toBe(storage.quotaBytes! - storage.usageBytes!);
    }
  });

  it('is asked to persist by a page that may, without waiting for the answer', async () => {
    const { persist } = navigator.storage;
    let asked = 0;
    navigator.storage.persist = () => {
      asked++;
      return new Promise(() => {}); // as Firefox, whose user looks elsewhere
    };
    try {
      const place = crypto.randomUUID();
      await make(place, { persist: false });
      await make(place, { storage: 'memory' });
      expect(asked).toBe(0);
      await make(crypto.randomUUID(), {});
      expect(asked).toBe(1);
    } finally {
      navigator.storage.persist = persist;
    }
  });
});

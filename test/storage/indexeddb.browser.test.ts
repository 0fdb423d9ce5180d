import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IndexedDbProvider } from '../../src/storage/indexeddb.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';
import { describeStorage } from './contract.ts';
import { expectBytes, failsWith, someBytes } from './helpers.ts';

const run = crypto.randomUUID();
let locations = 0;
const newLocation = () => `${run}-${locations++}`;

describeStorage({
  kind: 'indexeddb',
  capabilities: { persistent: true, durableFlush: true, sharedReads: true, sharedWrites: false },
  makeProvider: () => new IndexedDbProvider(),
  newLocation,
  badLocations: [''],
});

const provider = new IndexedDbProvider();
const writable = { create: true, readOnly: false };

describe('IndexedDB', () => {
  let location: string;
  let backend: StorageBackend;

  beforeEach(async () => {
    location = newLocation();
    backend = await provider.open(location, writable);
  });

  afterEach(async () => {
    await backend.close();
    await provider.destroy(location);
  });

  it('shows others nothing of a write before it is flushed, then all of it', async () => {
    const file = await backend.open('f', { create: true });
    await file.append(someBytes(200_000));
    const reader = await provider.open(location, { create: false, readOnly: true });
    const seen = await reader.open('f');
    expect(await seen.size()).toBe(0);
    await file.flush();
    expectBytes(await seen.read(0, 200_000), someBytes(200_000));
    await reader.close();
  });

  it('keeps what was written when the flush fails, for the next flush', async () => {
    const file = await backend.open('f', { create: true });
    await file.append(someBytes(100_000));
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      const opened = transaction.apply(this, args);
      opened.abort();
      return opened;
    };
    await expect(file.flush()).rejects.toEqual(failsWith('STORAGE_IO', { location }));
    IDBDatabase.prototype.transaction = transaction;
    await file.append(someBytes(100, 2));
    await file.flush();
    await backend.close();
    backend = await provider.open(location, writable);
    const again = await backend.open('f');
    expectBytes(await again.read(0, 100_000), someBytes(100_000));
    expectBytes(await again.read(100_000, 100), someBytes(100, 2));
  });

  it('lets itself be destroyed by another context, and fails from then on', async () => {
    const file = await backend.open('f', { create: true });
    await file.append(someBytes(10));
    await new IndexedDbProvider().destroy(location);
    expect(await provider.exists(location)).toBe(false);
    await expect(file.flush()).rejects.toEqual(failsWith('STORAGE_IO', { location }));
    await expect(file.flush()).rejects.toThrow('another tab or worker removes');
  });

  it('stays when another context does not let go of it', { timeout: 30_000 }, async () => {
    const stubborn = await openDB(`isovec:${location}`);
    await expect(provider.destroy(location)).rejects.toEqual(failsWith('STORAGE_IO', { location }));
    stubborn.close();
  });

  it('refuses the database of a newer isovec', async () => {
    const newer = newLocation();
    (await openDB(`isovec:${newer}`, 99)).close();
    await expect(provider.open(newer, writable)).rejects.toEqual(failsWith('FORMAT_VERSION'));
    await provider.destroy(newer);
  });
});

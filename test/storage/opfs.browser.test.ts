import * as Comlink from 'comlink';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isOpfsAvailable, OpfsProvider } from '../../src/storage/opfs.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';
import { describeStorage } from './contract.ts';
import { expectBytes, failsWith, someBytes } from './helpers.ts';
import { remoteProvider } from './remote.ts';
import type { RemoteStorage } from './remote-host.ts';

const newWorker = () => new Worker(new URL('./opfs.worker.ts', import.meta.url), { type: 'module' });
const worker = newWorker();
const provider = remoteProvider(worker, 'opfs');
const writable = { create: true, readOnly: false };
const run = crypto.randomUUID();
let locations = 0;
const newLocation = () => `${run}-${locations++}`;

afterAll(() => worker.terminate());

describeStorage({
  kind: 'opfs',
  capabilities: { persistent: true, durableFlush: true, sharedReads: true, sharedWrites: false },
  makeProvider: () => provider,
  newLocation,
  badLocations: [''],
});

async function directoryOf(location: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle('isovec')).getDirectoryHandle(location);
}

async function entriesOf(location: string): Promise<string[]> {
  const entries: string[] = [];
  for await (const entry of (await directoryOf(location)).keys()) entries.push(entry);
  return entries.sort();
}

/** Writes to a file behind the backend's back, which must be closed. */
async function overwrite(location: string, entry: string, position: number, bytes: Uint8Array<ArrayBuffer>) {
  const file = await (await directoryOf(location)).getFileHandle(entry, { create: true });
  const stream = await file.createWritable({ keepExistingData: true });
  await stream.write({ type: 'write', position, data: bytes });
  await stream.close();
}

describe('OPFS', () => {
  let location: string;
  let backend: StorageBackend;

  const reopen = async (change: () => Promise<void> = async () => {}) => {
    await backend.close();
    await change();
    backend = await provider.open(location, writable);
  };

  beforeEach(async () => {
    location = newLocation();
    backend = await provider.open(location, writable);
  });

  afterEach(async () => {
    await backend.close();
    await provider.destroy(location);
  });

  it('is available in a dedicated worker, and not on a page', async () => {
    expect(await Comlink.wrap<RemoteStorage>(worker).isOpfsAvailable()).toBe(true);
    expect(await isOpfsAvailable()).toBe(false);
  });

  it('can be read on a page, and says why it cannot be written there', async () => {
    const page = new OpfsProvider(() => import('../../src/storage/opfs-reader.ts'));
    await backend.replace('whole', someBytes(10));
    const reader = await page.open(location, { create: false, readOnly: true });
    expectBytes((await reader.load('whole'))!, someBytes(10));
    const writer = await page.open(location, writable);
    await expect(writer.open('f', { create: true })).rejects.toEqual(failsWith('UNSUPPORTED'));
    await expect(writer.open('f', { create: true })).rejects.toThrow('dedicated worker');
  });

  it('keeps a location of any length apart from others', async () => {
    const long = '長い'.repeat(300) + location;
    const other = await provider.open(`${long}!`, writable);
    await other.replace('whole', someBytes(10));
    await other.close();
    expect(await provider.exists(long)).toBe(false);
    expect(await provider.exists(`${long}!`)).toBe(true);
    await provider.destroy(`${long}!`);
    expect(await provider.exists(`${long}!`)).toBe(false);
  });

  it('opens for the next writer once the last one has been killed', async () => {
    const doomed = newWorker();
    const elsewhere = newLocation();
    const killed = await remoteProvider(doomed, 'opfs').open(elsewhere, writable);
    const file = await killed.open('log', { create: true });
    await file.append(someBytes(5000));
    await file.flush();
    await killed.replace('whole', someBytes(10));
    doomed.terminate();
    const next = await provider.open(elsewhere, writable);
    expectBytes(await (await next.open('log')).read(0, 5000), someBytes(5000));
    expectBytes((await next.load('whole'))!, someBytes(10));
    await next.close();
    await provider.destroy(elsewhere);
  });

  it('refuses a second writer in the end, if there is no lock to keep it away', async () => {
    const file = await backend.open('log', { create: true });
    await file.append(someBytes(10));
    const second = await provider.open(location, writable);
    await expect(second.open('log')).rejects.toEqual(
      failsWith('STORAGE_IO', { file: 'log', exception: 'NoModificationAllowedError' }),
    );
    await second.close();
    expectBytes(await file.read(0, 10), someBytes(10));
  });

  it('loses swap files that a killed browser left, and lists no foreign file', async () => {
    await backend.replace('whole', someBytes(10));
    await reopen(async () => {
      const directory = await directoryOf(location);
      await directory.getFileHandle('Foreign.txt', { create: true });
      await directory.getDirectoryHandle('folder', { create: true });
    });
    expect(await backend.list()).toEqual(['whole']);
    expect(await entriesOf(location)).toEqual(['Foreign.txt', 'folder', 'whole.0', 'whole.1']);
  });

  describe('a replaced file', () => {
    beforeEach(async () => {
      await backend.replace('whole', someBytes(1000, 1)); // into both slots
      await backend.replace('whole', someBytes(1000, 2)); // into slot 1
    });

    it('has two slots, written in turn', async () => {
      expect(await entriesOf(location)).toEqual(['whole.0', 'whole.1']);
    });

    it.each([
      ['header', 0],
      ['generation', 8],
      ['length', 16],
      ['content', 500],
      ['last byte', 32 + 999],
    ])('falls back to the content before when the newest slot is torn in its %s', async (_, position) => {
      await reopen(() => overwrite(location, 'whole.1', position, someBytes(1, 7)));
      expectBytes((await backend.load('whole'))!, someBytes(1000, 1));
      await backend.replace('whole', someBytes(2000, 3));
      await reopen();
      expectBytes((await backend.load('whole'))!, someBytes(2000, 3));
      await reopen(() => overwrite(location, 'whole.0', position, someBytes(1, 7)));
      expectBytes((await backend.load('whole'))!, someBytes(2000, 3));
    });

    it('reports damage to both slots, to readers too, and can be replaced again', async () => {
      await reopen(async () => {
        await overwrite(location, 'whole.0', 40, someBytes(1, 7));
        await overwrite(location, 'whole.1', 40, someBytes(1, 7));
      });
      const damaged = failsWith('CORRUPTION', { location, file: 'whole' });
      await expect(backend.load('whole')).rejects.toEqual(damaged);
      const reader = await provider.open(location, { create: false, readOnly: true });
      await expect(reader.load('whole')).rejects.toEqual(damaged);
      await backend.replace('whole', someBytes(10));
      expectBytes((await backend.load('whole'))!, someBytes(10));
    });

    it('was never there when its first replacement was torn', async () => {
      await reopen(() => overwrite(location, 'first.1', 0, someBytes(100)));
      expect(await backend.load('first')).toBeUndefined();
      await backend.replace('first', someBytes(10));
      expectBytes((await backend.load('first'))!, someBytes(10));
    });

    it('is read whole, old or new, while it is being replaced', async () => {
      const reader = await new OpfsProvider(() => import('../../src/storage/opfs-reader.ts')).open(location, {
        create: false,
        readOnly: true,
      });
      let done = false;
      const replacing = (async () => {
        for (let seed = 3; seed < 60; seed++) await backend.replace('whole', someBytes(1000, seed));
        done = true;
      })();
      let newest = 1;
      while (!done) {
        const content = (await reader.load('whole'))!;
        const seed = Array.from({ length: 60 }, (_, index) => index).find((candidate) =>
          someBytes(1000, candidate).every((byte, at) => content[at] === byte),
        );
        expect(seed).toBeGreaterThanOrEqual(newest);
        newest = seed!;
      }
      await replacing;
    });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/base/crc32c.ts';
import type {
  StorageBackend,
  StorageCapabilities,
  StorageKind,
  StorageProvider,
} from '../../src/storage/storage.ts';
import { describeFiles } from './contract-file.ts';
import { expectBytes, failsWith, someBytes } from './helpers.ts';
import { describeAgainstModel } from './model.ts';

export interface StorageUnderTest {
  kind: StorageKind;
  /** What the backend must declare. Nothing else decides which tests run. */
  capabilities: StorageCapabilities;
  makeProvider: () => StorageProvider | Promise<StorageProvider>;
  /** A location that no other test uses. */
  newLocation: () => string;
  /** Locations that can never hold a database. */
  badLocations: string[];
}

const MEGABYTE = 1024 * 1024;
const ODD_NAMES = [
  'a/b',
  '../up',
  'UPPER',
  'upper',
  'dots.and.new',
  '.hidden',
  'a b',
  '%41',
  'ключ',
  '鍵\n',
  'x:y|z*?"<>\\',
];

/** What every backend upholds. */
export function describeStorage(under: StorageUnderTest): void {
  describe(`${under.kind} storage`, () => {
    let provider: StorageProvider;
    let location: string;
    let backend: StorageBackend;

    const reopen = async (options = { create: false, readOnly: false }) => {
      await backend.close();
      backend = await provider.open(location, options);
    };

    beforeEach(async () => {
      provider = await under.makeProvider();
      location = under.newLocation();
      backend = await provider.open(location, { create: true, readOnly: false });
    });

    afterEach(async () => {
      await backend.close();
      await provider.destroy(location);
    });

    it('declares its kind and capabilities', () => {
      expect(provider.kind).toBe(under.kind);
      expect(backend.kind).toBe(under.kind);
      expect(backend.capabilities).toEqual(under.capabilities);
    });

    describeFiles(() => backend);

    describe('a replaced file', () => {
      it('is undefined until there is one', async () => {
        expect(await backend.load('whole')).toBeUndefined();
      });

      it('loads as it was last replaced, and is listed once', async () => {
        for (const [seed, length] of [5000, 100, 0, 200_000, 1].entries()) {
          await backend.replace('whole', someBytes(length, seed));
          expectBytes(await backend.load('whole'), someBytes(length, seed));
        }
        expect(await backend.list()).toEqual(['whole']);
      });

      it('can be removed', async () => {
        await backend.replace('whole', someBytes(10));
        await backend.replace('whole', someBytes(20));
        await backend.remove('whole');
        expect(await backend.load('whole')).toBeUndefined();
        expect(await backend.list()).toEqual([]);
        await backend.replace('whole', someBytes(30));
        expectBytes(await backend.load('whole'), someBytes(30));
      });

      it('is there after reopening', async () => {
        await backend.replace('whole', someBytes(10));
        await backend.replace('whole', someBytes(3000));
        await reopen();
        expectBytes(await backend.load('whole'), someBytes(3000));
        await reopen({ create: false, readOnly: true });
        expectBytes(await backend.load('whole'), someBytes(3000));
      });
    });

    describe('names', () => {
      it('may hold any characters, and differ by case', async () => {
        for (const [seed, name] of ODD_NAMES.entries()) {
          const file = await backend.open(name, { create: true });
          await file.append(someBytes(10, seed));
          await file.flush();
          await file.close();
          await backend.replace(`${name} whole`, someBytes(20, seed));
        }
        await reopen();
        expect((await backend.list()).sort()).toEqual(
          ODD_NAMES.flatMap((name) => [name, `${name} whole`]).sort(),
        );
        for (const [seed, name] of ODD_NAMES.entries()) {
          expectBytes(await (await backend.open(name)).read(0, 10), someBytes(10, seed));
          expectBytes(await backend.load(`${name} whole`), someBytes(20, seed));
        }
      });

      it('of locations may be odd too', async () => {
        const odd = `${location} Ünï:%.код`;
        const other = await provider.open(odd, { create: true, readOnly: false });
        await other.replace('whole', someBytes(5));
        await other.close();
        expect(await provider.exists(odd)).toBe(true);
        await provider.destroy(odd);
        expect(await provider.exists(odd)).toBe(false);
        expect(await provider.exists(location)).toBe(true);
      });
    });

    describe('reopened', () => {
      it('holds everything that was flushed', async () => {
        const file = await backend.open('f', { create: true });
        await file.append(someBytes(100_000));
        await file.truncate(90_000);
        await file.append(someBytes(20_000, 2));
        await file.flush();
        await reopen();
        const again = await backend.open('f');
        expect(await again.size()).toBe(110_000);
        expectBytes(await again.read(0, 90_000), someBytes(100_000).subarray(0, 90_000));
        expectBytes(await again.read(90_000, 20_000), someBytes(20_000, 2));
        expect(await again.append(someBytes(1))).toBe(110_000);
      });

      it('for reading only, refuses every change', async () => {
        const file = await backend.open('f', { create: true });
        await file.append(someBytes(100));
        await file.flush();
        await reopen({ create: false, readOnly: true });
        const again = await backend.open('f');
        expectBytes(await again.read(0, 100), someBytes(100));
        await again.flush();
        for (const call of [
          () => again.write(0, someBytes(1)),
          () => again.append(someBytes(1)),
          () => again.truncate(0),
          () => backend.open('new', { create: true }),
          () => backend.remove('f'),
          () => backend.replace('whole', someBytes(1)),
        ])
          await expect(call()).rejects.toEqual(failsWith('READ_ONLY'));
        expect(await backend.list()).toEqual(['f']);
        await expect(again.read(99, 2)).rejects.toEqual(failsWith('CORRUPTION', { file: 'f', offset: 99 }));
        await again.close();
        await expect(again.size()).rejects.toEqual(failsWith('CLOSED', { file: 'f' }));
      });

      it.runIf(under.capabilities.sharedReads)(
        'for reading only, sees what a writer flushes meanwhile',
        async () => {
          const file = await backend.open('log', { create: true });
          await file.append(someBytes(100_000));
          await file.flush();
          await backend.replace('whole', someBytes(10));
          const readers = await Promise.all(
            [1, 2].map(() => provider.open(location, { create: false, readOnly: true })),
          );
          for (const reader of readers) {
            expectBytes(await (await reader.open('log')).read(0, 100_000), someBytes(100_000));
            expectBytes(await reader.load('whole'), someBytes(10));
          }
          expect(await file.append(someBytes(50_000, 2))).toBe(100_000);
          await file.flush();
          await backend.replace('whole', someBytes(20));
          for (const reader of readers) {
            const log = await reader.open('log');
            expect(await log.size()).toBe(150_000);
            expectBytes(await log.read(100_000, 50_000), someBytes(50_000, 2));
            expectBytes(await reader.load('whole'), someBytes(20));
            await reader.close();
          }
        },
      );
    });

    describe('closed', () => {
      it('fails with CLOSED, files too, and closes again quietly', async () => {
        const file = await backend.open('f', { create: true });
        await backend.close();
        await backend.close();
        await file.close();
        for (const call of [
          () => backend.list(),
          () => backend.open('f'),
          () => backend.remove('f'),
          () => backend.replace('f', someBytes(1)),
          () => backend.load('f'),
          () => backend.usageBytes(),
          () => file.read(0, 0),
          () => file.append(someBytes(1)),
        ])
          await expect(call()).rejects.toEqual(failsWith('CLOSED'));
      });
    });

    describe('sizes', () => {
      it('adds up the bytes of all files', async () => {
        expect(await backend.usageBytes()).toBe(0);
        const file = await backend.open('f', { create: true });
        await file.append(someBytes(100_000));
        await file.flush();
        await backend.replace('whole', someBytes(50_000));
        const usage = await backend.usageBytes();
        expect(usage).toBeGreaterThanOrEqual(150_000);
        expect(usage).toBeLessThan(300_000); // a backend may keep the last content beside the present one
        await file.truncate(0);
        expect(await backend.usageBytes()).toBe(usage - 100_000);
      });

      it('holds a file of 32 MB', async () => {
        const file = await backend.open('large', { create: true });
        let written = 0;
        for (let piece = 0; piece < 32; piece++) {
          const bytes = someBytes(MEGABYTE, piece + 1);
          written = crc32c(bytes, written);
          await file.append(bytes);
        }
        await file.flush();
        await reopen();
        const again = await backend.open('large');
        const size = await again.size();
        expect(size).toBe(32 * MEGABYTE);
        let read = 0;
        for (let at = 0; at < size; at += 3 * MEGABYTE)
          read = crc32c(await again.read(at, Math.min(3 * MEGABYTE, size - at)), read);
        expect(read).toBe(written);
        expect(crc32c(await again.read(0, size))).toBe(written);
      });

      it('holds 300 files, all open', async () => {
        const names = Array.from({ length: 300 }, (_, index) => `file-${index}`);
        const files = await Promise.all(names.map((name) => backend.open(name, { create: true })));
        for (const [seed, file] of files.entries()) await file.append(someBytes(100, seed));
        await Promise.all(files.map((file) => file.flush()));
        expect((await backend.list()).sort()).toEqual([...names].sort());
        const contents = await Promise.all(files.map((file) => file.read(0, 100)));
        for (const [seed, content] of contents.entries()) expectBytes(content, someBytes(100, seed));
      });
    });

    describe('a place', () => {
      it('exists from when it is first opened until it is destroyed', async () => {
        const place = under.newLocation();
        expect(await provider.exists(place)).toBe(false);
        const first = await provider.open(place, { create: true, readOnly: false });
        await first.replace('whole', someBytes(5));
        await first.open('f', { create: true });
        await first.close();
        expect(await provider.exists(place)).toBe(true);
        await provider.destroy(place);
        await provider.destroy(place);
        expect(await provider.exists(place)).toBe(false);
        const second = await provider.open(place, { create: true, readOnly: false });
        expect(await second.list()).toEqual([]);
        await second.close();
        await provider.destroy(place);
      });

      it('is not made unless asked for, nor for reading only', async () => {
        const place = under.newLocation();
        for (const options of [
          { create: false, readOnly: false },
          { create: false, readOnly: true },
          { create: true, readOnly: true },
        ])
          await expect(provider.open(place, options)).rejects.toEqual(
            failsWith('NOT_FOUND', { location: place }),
          );
        expect(await provider.exists(place)).toBe(false);
      });

      it('is refused where none can be', async () => {
        for (const bad of under.badLocations) {
          const refused = failsWith('INVALID_ARGUMENT', { location: bad });
          await expect(provider.open(bad, { create: true, readOnly: false })).rejects.toEqual(refused);
          await expect(provider.exists(bad)).rejects.toEqual(refused);
          await expect(provider.destroy(bad)).rejects.toEqual(refused);
        }
      });

      it('is apart from every other', async () => {
        const place = under.newLocation();
        const other = await provider.open(place, { create: true, readOnly: false });
        await backend.replace('whole', someBytes(5));
        await other.replace('whole', someBytes(6));
        expectBytes(await backend.load('whole'), someBytes(5));
        await other.close();
        await provider.destroy(place);
      });
    });

    describeAgainstModel(under);
  });
}

import { describe, expect, it } from 'vitest';
import type { StorageBackend } from '../../src/storage/storage.ts';
import { expectBytes, failsWith, someBytes } from './helpers.ts';

/** What the files of every backend uphold. @param backend an empty one, which each test has to itself */
export function describeFiles(backend: () => StorageBackend): void {
  describe('a file', () => {
    it('is empty when new, and listed', async () => {
      const file = await backend().open('fresh', { create: true });
      expect(file.name).toBe('fresh');
      expect(await file.size()).toBe(0);
      expectBytes(await file.read(0, 0), new Uint8Array(0));
      expect(await backend().list()).toEqual(['fresh']);
    });

    it('is not made unless asked for', async () => {
      await expect(backend().open('absent')).rejects.toEqual(failsWith('NOT_FOUND', { file: 'absent' }));
      expect(await backend().list()).toEqual([]);
    });

    it('reads back what was written, wherever it was written', async () => {
      const file = await backend().open('f', { create: true });
      await file.write(0, someBytes(100_000, 1));
      await file.write(40_000, someBytes(30_000, 2));
      const expected = someBytes(100_000, 1);
      expected.set(someBytes(30_000, 2), 40_000);
      expectBytes(await file.read(0, 100_000), expected);
      expectBytes(await file.read(65_530, 20), expected.subarray(65_530, 65_550));
      expect(await file.size()).toBe(100_000);
    });

    it('answers where an append went', async () => {
      const file = await backend().open('f', { create: true });
      expect(await file.append(someBytes(1500, 1))).toBe(0);
      expect(await file.append(someBytes(70_000, 2))).toBe(1500);
      expect(await file.append(new Uint8Array(0))).toBe(71_500);
      expectBytes(await file.read(1500, 70_000), someBytes(70_000, 2));
    });

    it('fills a gap before a write with zeros', async () => {
      const file = await backend().open('f', { create: true });
      await file.write(0, someBytes(10));
      await file.write(200_000, someBytes(10));
      expect(await file.size()).toBe(200_010);
      expectBytes(await file.read(10, 199_990), new Uint8Array(199_990));
    });

    it('ignores a write of nothing, even past its end', async () => {
      const file = await backend().open('f', { create: true });
      await file.write(1000, new Uint8Array(0));
      expect(await file.size()).toBe(0);
    });

    it('keeps nothing of what truncation cut off', async () => {
      const file = await backend().open('f', { create: true });
      await file.write(0, someBytes(150_000).fill(255));
      await file.flush();
      await file.truncate(70_001);
      expect(await file.size()).toBe(70_001);
      await file.truncate(150_000);
      expectBytes(await file.read(70_000, 3), Uint8Array.of(255, 0, 0));
      expectBytes(await file.read(70_001, 79_999), new Uint8Array(79_999));
      await file.truncate(0);
      expect(await file.append(someBytes(5))).toBe(0);
      expectBytes(await file.read(0, 5), someBytes(5));
    });

    it('hands out copies: changing them later changes nothing', async () => {
      const file = await backend().open('f', { create: true });
      const given = someBytes(1000);
      await file.write(0, given);
      given.fill(0);
      (await file.read(0, 1000)).fill(1);
      await file.flush();
      expectBytes(await file.read(0, 1000), someBytes(1000));
    });

    it('reads what was written, whatever memory it is given for that', async () => {
      const file = await backend().open('f', { create: true });
      await file.write(0, someBytes(100_000));
      for (const roomBytes of [0, 20_000, 70_000]) {
        const room = new Uint8Array(roomBytes).fill(7);
        expectBytes(await file.read(30_000, 20_000, room), someBytes(100_000).subarray(30_000, 50_000));
        await expect(file.read(90_000, 10_001, room)).rejects.toEqual(failsWith('CORRUPTION'));
      }
      expectBytes(await file.read(0, 100_000), someBytes(100_000));
    });

    it('writes from a view into a larger buffer', async () => {
      const file = await backend().open('f', { create: true });
      await file.append(someBytes(1000).subarray(300, 700));
      expectBytes(await file.read(0, 400), someBytes(1000).subarray(300, 700));
    });

    it('refuses a read past its end, naming file and offset', async () => {
      const file = await backend().open('short', { create: true });
      await file.append(someBytes(100));
      const details = { file: 'short', offset: 90, length: 11, size: 100 };
      await expect(file.read(90, 11)).rejects.toEqual(failsWith('CORRUPTION', details));
      await expect(file.read(101, 1)).rejects.toThrow(/'short'.*offset 101.*100/);
      await expect(file.read(50, 2 ** 40)).rejects.toEqual(failsWith('CORRUPTION'));
    });

    it('reads in many places at once, while it is written', async () => {
      const file = await backend().open('f', { create: true });
      const content = someBytes(300_000);
      await file.write(0, content);
      const starts = Array.from({ length: 50 }, (_, index) => index * 5000);
      const [, ...pieces] = await Promise.all([
        file.append(someBytes(100_000, 2)).then(() => file.flush()),
        ...starts.map((start) => file.read(start, 40_000)),
      ]);
      for (const [index, start] of starts.entries())
        expectBytes(pieces[index], content.subarray(start, start + 40_000));
    });

    it('opened twice is one file', async () => {
      const one = await backend().open('f', { create: true });
      const other = await backend().open('f');
      await one.append(someBytes(2000));
      expect(await other.append(someBytes(2000, 2))).toBe(2000);
      expectBytes(await one.read(2000, 2000), someBytes(2000, 2));
      await one.close();
      expectBytes(await other.read(0, 2000), someBytes(2000));
    });

    it('made by several at once is one file', async () => {
      const files = await Promise.all([1, 2, 3].map(() => backend().open('f', { create: true })));
      for (const file of files) await file.append(someBytes(100));
      expect(await Promise.all(files.map((file) => file.size()))).toEqual([300, 300, 300]);
      expect(await backend().list()).toEqual(['f']);
    });

    it('shows unflushed writes to whoever opens it next', async () => {
      const file = await backend().open('f', { create: true });
      await file.append(someBytes(2000));
      await file.close();
      const again = await backend().open('f', { create: true });
      expectBytes(await again.read(0, 2000), someBytes(2000));
    });

    it('can be removed, and made anew empty', async () => {
      const file = await backend().open('f', { create: true });
      await file.append(someBytes(2000));
      await file.close();
      await backend().remove('f');
      await backend().remove('f');
      expect(await backend().list()).toEqual([]);
      await expect(backend().open('f')).rejects.toEqual(failsWith('NOT_FOUND'));
      expect(await (await backend().open('f', { create: true })).size()).toBe(0);
    });

    it('fails with CLOSED once it is closed', async () => {
      const file = await backend().open('f', { create: true });
      await file.close();
      await file.close();
      for (const call of [
        () => file.size(),
        () => file.read(0, 0),
        () => file.write(0, someBytes(1)),
        () => file.append(someBytes(1)),
        () => file.truncate(0),
        () => file.flush(),
      ])
        await expect(call()).rejects.toEqual(failsWith('CLOSED', { file: 'f' }));
    });
  });
}

import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../../src/storage/memory.ts';
import { checkOpenOptions } from '../../../src/store/open-options.ts';
import { contentOf, copyOf, damageFile, fillDatabase, openFiles } from './damaged.ts';

describe('the checksum of whole files', () => {
  it.each(['crc32c', 'sha256', 'blake3'] as const)(
    'can be %s, goes on as files grow, and is checked',
    async (checksum) => {
      const files = new MemoryFiles();
      const first = await openFiles(files, { checksum });
      await fillDatabase(first);
      await first.close();
      // A file goes on with the checksum that it began with, whatever the option says by then.
      const second = await openFiles(files);
      const books = await second.collection('books');
      await books.delete('id20');
      await second.checkpoint();
      expect(await second.verify()).toMatchObject({ ok: true });
      const manifest = files.get('manifest')!;
      const text = new TextDecoder().decode(manifest.copy(0, manifest.length));
      expect(text).toMatch(new RegExp(`"data-1-rows-0":{"bytes":[0-9]+,"digest":{"checksum":"${checksum}"`));
      const content = await contentOf(second);
      await second.close();
      expect(await contentOf(await openFiles(files))).toEqual(content);
    },
  );
});

describe('verifyInterval', () => {
  it('finds damage while the database is open, tells of it, and ends when it is closed', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files, { verifyInterval: 5 });
    await fillDatabase(database);
    const warnings: string[] = [];
    database.on('warning', ({ code, message }) => warnings.push(`${code} ${message}`));
    const name = [...copyOf(files).keys()].find((each) => each.includes('records'))!;
    damageFile(files, name, { kind: 'flip', at: 500, bit: 3 });
    await expect.poll(() => warnings.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(warnings[0]).toContain(`CORRUPTION ${name}`);
    await database.close();
    const { length } = warnings;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(warnings.length).toBe(length);
  });

  it('is refused where it would be all that is done', () => {
    expect(() => checkOpenOptions('a', { verifyInterval: 999 })).toThrow(/options.verifyInterval/);
    checkOpenOptions('a', { verifyInterval: 60_000 });
  });
});

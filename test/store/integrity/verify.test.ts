import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../../src/storage/memory.ts';
import { copyOf, damageFile, damageOf, fillDatabase, openFiles, record } from './damaged.ts';

describe('verify', () => {
  it('finds nothing wrong with a database that is well, whatever it has been through', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files);
    const check = async () => {
      const report = await database.verify();
      expect(report).toMatchObject({ ok: true, problems: [] });
      expect(report.bytesChecked).toBeGreaterThan(0);
      expect(report.filesChecked).toBeGreaterThanOrEqual(2);
    };
    await check();
    await fillDatabase(database);
    await check();
    await database.compact();
    await check();
    await database.dropCollection('notes');
    await check();
    await database.close();
    const reader = await openFiles(files, { readOnly: true });
    expect(await reader.verify()).toMatchObject({ ok: true });
  });

  it('reads every byte of every file, and tells how far it is', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files);
    await fillDatabase(database);
    const told: { done: number; total: number }[] = [];
    database.on('progress', ({ phase, ...progress }) => {
      if (phase === 'verify') told.push(progress);
    });
    const { filesChecked, bytesChecked } = await database.verify();
    const stored = copyOf(files);
    expect(filesChecked).toBe(stored.size);
    expect(bytesChecked).toBe([...stored.values()].reduce((sum, { length }) => sum + length, 0));
    expect(told.at(-1)).toEqual({ done: bytesChecked, total: expect.any(Number) });
  });

  it('names the file of any damage at all', async () => {
    const files = new MemoryFiles();
    await fillDatabase(await openFiles(files));
    const names = [...copyOf(files).keys()];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), damageOf, async (name, damage) => {
        const live = copyOf(files);
        const database = await openFiles(live);
        damageFile(live, name, damage);
        const { ok, problems } = await database.verify();
        expect(ok).toBe(false);
        expect(problems.map(({ file }) => file)).toContain(name);
      }),
      { numRuns: 150, seed: 8 },
    );
  });

  it('runs beside writes', async () => {
    const database = await openFiles(new MemoryFiles());
    await fillDatabase(database);
    const books = await database.collection('books');
    let isDone = false;
    const verified = database.verify().finally(() => {
      isDone = true;
    });
    let written = 0;
    while (!isDone) {
      await books.upsert(record(100 + (written++ % 5), written));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    expect(await verified).toMatchObject({ ok: true, problems: [] });
    expect(written).toBeGreaterThan(0);
  });
});

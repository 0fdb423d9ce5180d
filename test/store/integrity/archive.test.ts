import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/base/api.ts';
import { IsovecError } from '../../../src/base/errors.ts';
import { MemoryFiles } from '../../../src/storage/memory.ts';
import { openLocal } from '../../../src/store/open.ts';
import { restoreLocal } from '../../../src/store/restore.ts';
import { memoryPlatform } from '../memory-platform.ts';
import { type Content, contentOf, copyOf, damageFile, damageOf, openFiles, record } from './damaged.ts';

/** So small that a base comes after every other checkpoint or so, so large that nothing is dropped. */
const ARCHIVE = { retentionBytes: 8000, compression: 'none' as const };
const WRITES = 16;
/** Ten seconds on a machine with nothing else to do. */
const TIMEOUT_MS = 600_000;

/** After each entry of the log. */
const contents = new Map<number, Content>();

async function filled(): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const database = await openFiles(files, { archive: ARCHIVE });
  const collection = await database.collection('c', { dimensions: 4 });
  const note = async () => contents.set((await database.stats()).log.lastSequence, await contentOf(database));
  await note();
  for (let write = 0; write < WRITES; write++) {
    await collection.upsert([record(write % 5, write), record(write, write)]);
    await note();
    if (write % 3 === 2) await database.checkpoint();
  }
  return copyOf(files);
}

const well = await filled();
const archived = [...well.keys()].filter((name) => name.startsWith('archive'));

/** @returns what the database was after an entry; undefined where that cannot be restored */
async function restored(files: MemoryFiles, sequence?: number): Promise<Content | undefined> {
  const places = new Map([['source', copyOf(files)]]);
  const platform = memoryPlatform(places);
  try {
    await restoreLocal(platform, 'source', 'destination', sequence === undefined ? {} : { sequence });
  } catch (error) {
    if (!(error instanceof IsovecError)) throw error;
    return undefined;
  }
  return contentOf(await openLocal(memoryPlatform(places), 'destination', {}));
}

async function expectGoesOn(database: Database, files: MemoryFiles): Promise<void> {
  const collection = await database.collection('c');
  await database.checkpoint();
  const { lastSequence } = (await database.stats()).log;
  const before = await contentOf(database);
  await collection.upsert(record(100));
  await database.checkpoint();
  expect(await database.verify()).toMatchObject({ ok: true });
  expect(await restored(files)).toEqual(await contentOf(database));
  expect(await restored(files, lastSequence)).toEqual(before);
}

describe('a damaged archive', () => {
  it('has an index, bases and parts of the log', () => {
    expect(archived).toContain('archive');
    expect(archived.filter((name) => name.startsWith('archive-base')).length).toBeGreaterThan(1);
    expect(archived.filter((name) => /^archive-\d/.test(name)).length).toBeGreaterThan(2);
  });

  it('is found by verifying, and mended so far that it goes on; what is restored from it is right', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const anyDamage = fc.record({ name: fc.constantFrom(...archived), damage: damageOf });
    await fc.assert(
      fc.asyncProperty(anyDamage, fc.boolean(), async ({ name, damage }, isSalvage) => {
        const files = copyOf(well);
        damageFile(files, name, damage);
        const open = () => openFiles(files, isSalvage ? { recovery: 'salvage', archive: ARCHIVE } : {});
        const damaged = await open();
        const before = await contentOf(damaged);
        const { problems } = await damaged.verify();
        expect(problems.map(({ file }) => file)).toContain(name);
        const { repaired, recordsLost } = await damaged.repair();
        expect([recordsLost, repaired.slice(0, problems.length)]).toEqual([[], problems]);
        expect(repaired.at(-1)!.message).toMatch(/the next checkpoint writes a base/);
        expect(await damaged.verify()).toMatchObject({ ok: true });
        for (const [sequence, content] of [...contents].filter(([each]) => each % 4 === 1))
          expect([undefined, JSON.stringify(plain(content))]).toContain(
            JSON.stringify(plain(await restored(files, sequence))),
          );
        await damaged.close();
        const database = await openFiles(files, { archive: ARCHIVE });
        expect(await contentOf(database)).toEqual(before);
        await expectGoesOn(database, files);
      }),
      { numRuns: 24, seed: 13 },
    );
  });

  it('is made whole again where only its index is lost', async () => {
    for (const isMissing of [true, false]) {
      const files = copyOf(well);
      damageFile(files, 'archive', isMissing ? { kind: 'remove' } : { kind: 'flip', at: 60, bit: 1 });
      await expect(openFiles(copyOf(files), { archive: ARCHIVE })).rejects.toMatchObject({
        code: 'CORRUPTION',
        details: { file: 'archive' },
      });
      await (await openFiles(files)).repair();
      for (const [sequence, content] of contents)
        expect(plain(await restored(files, sequence))).toEqual(plain(content));
    }
  });

  it('of which a file in the middle is gone gives up what only led on from there', async () => {
    const files = copyOf(well);
    const logs = archived.filter((name) => /^archive-\d/.test(name)).sort();
    files.delete(logs[1]!);
    const database = await openFiles(files);
    expect((await database.verify()).problems).toMatchObject([{ file: logs[1], kind: 'missing' }]);
    const { repaired } = await database.repair();
    expect(repaired.at(-1)).toMatchObject({ file: 'archive', message: /restoring reaches up to entry \d+/ });
  });
});

function plain(content: Content | undefined): unknown {
  return content && [...content].map(([name, records]) => [name, [...records]]);
}

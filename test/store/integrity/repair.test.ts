import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Database, RepairReport } from '../../../src/base/api.ts';
import { IsovecError } from '../../../src/base/errors.ts';
import { MemoryFiles } from '../../../src/storage/memory.ts';
import type { StorageBackend } from '../../../src/storage/storage.ts';
import {
  type Content,
  contentOf,
  copyOf,
  type Damage,
  damageFile,
  damageOf,
  fillDatabase,
  openFiles,
  record,
} from './damaged.ts';

async function filled(): Promise<{ files: MemoryFiles; content: Content }> {
  const files = new MemoryFiles();
  const database = await openFiles(files);
  await fillDatabase(database);
  return { files: copyOf(files), content: await contentOf(database) };
}

const well = await filled();

const lostIds = ({ recordsLost }: RepairReport): Set<string> =>
  new Set(recordsLost.flatMap(({ collection, ids }) => ids.map((id) => `${collection}/${id}`)));

/** Where the log has lost the creation of a collection, its records are there under another name. */
function underOldNames(content: Content): Content {
  const renamed = [...content].map(
    ([name, records]) => [name.replace(/^recovered-.*/, 'late'), records] as const,
  );
  return new Map(renamed);
}

/** What is missing or otherwise than it was, and what has come back. */
function differences(content: Content): { gone: string[]; changed: string[]; back: string[] } {
  const gone: string[] = [];
  const changed: string[] = [];
  const back: string[] = [];
  for (const [name, records] of well.content)
    for (const [id, expected] of records) {
      const found = content.get(name)?.get(id);
      if (found === undefined) gone.push(`${name}/${id}`);
      else if (JSON.stringify(found) !== JSON.stringify(expected)) changed.push(`${name}/${id}`);
    }
  for (const [name, records] of content)
    for (const id of records.keys()) if (!well.content.get(name)?.has(id)) back.push(`${name}/${id}`);
  return { gone, changed, back };
}

async function checkRepaired(database: Database, before: Content): Promise<void> {
  expect(await database.verify()).toMatchObject({ ok: true, problems: [] });
  expect(await contentOf(database)).toEqual(before);
  const books = await database.collection('books', { dimensions: 4 });
  await books.upsert(record(200));
  expect(await books.get('id200')).toMatchObject({ metadata: record(200).metadata });
}

/** Dies in the middle of the change after so many. */
function dying(changesLeft: number): {
  wrap: (backend: StorageBackend) => StorageBackend;
  hasDied: () => boolean;
} {
  let left = changesLeft;
  const die = () => Promise.reject(new IsovecError('STORAGE_IO', 'the process has died'));
  const wrap = (backend: StorageBackend): StorageBackend => {
    const { open, remove, replace } = backend;
    backend.remove = (name) => (left-- > 0 ? remove.call(backend, name) : die());
    backend.replace = (name, bytes) => (left-- > 0 ? replace.call(backend, name, bytes) : die());
    backend.open = async (name, options) => {
      const file = await open.call(backend, name, options);
      const { write, truncate } = file;
      file.write = async (offset, bytes) => {
        if (left-- > 0) return write.call(file, offset, bytes);
        if (left === -1) await write.call(file, offset, bytes.subarray(0, bytes.length >> 1));
        return die();
      };
      file.truncate = (size) => (left-- > 0 ? truncate.call(file, size) : die());
      return file;
    };
    return backend;
  };
  return { wrap, hasDied: () => left < 0 };
}

const anyDamage = fc.record({ name: fc.constantFrom(...well.files.keys()), damage: damageOf });

describe('salvaging and repair', () => {
  it('save everything whose bytes are intact, name what is not, and leave a database that is well', async () => {
    await fc.assert(
      fc.asyncProperty(anyDamage, async ({ name, damage }) => {
        const files = copyOf(well.files);
        damageFile(files, name, damage);
        const database = await openFiles(files, { recovery: 'salvage' });
        const before = await contentOf(database);
        for (const [name, { size }] of before)
          expect(await (await database.collection(name)).count({})).toBe(size);
        const report = await database.repair();
        const lost = lostIds(report);
        const { gone, changed, back } = differences(underOldNames(before));
        if (name.startsWith('log')) {
          // An end of the log that nothing promises is cut off, as ever; else one byte costs one record.
          const isDamage = report.repaired.length > 0;
          if (isDamage && damage.kind === 'flip')
            expect(gone.length + changed.length + back.length).toBeLessThanOrEqual(1);
          expect(back.filter((each) => !/id1$|id9$/.test(each))).toEqual([]);
        } else {
          expect([changed, back]).toEqual([[], []]);
          expect(new Set(gone)).toEqual(lost);
          // What is only derived is made again without a repair.
          const recovered = [...before.values()].reduce((sum, { size }) => sum + size, 0);
          expect(report.recordsRecovered).toBe(report.repaired.length > 0 ? recovered : 0);
          expectOnlyDamaged(name, damage, gone);
        }
        await checkRepaired(database, before);
        await database.close();
        const again = await openFiles(files);
        expect(await again.verify()).toMatchObject({ ok: true });
        await again.close();
      }),
      { numRuns: 200, seed: 9 },
    );
  });

  it('can be interrupted at any write, and done again', async () => {
    await fc.assert(
      fc.asyncProperty(anyDamage, fc.nat(25), async ({ name, damage }, changes) => {
        const files = copyOf(well.files);
        damageFile(files, name, damage);
        const reference = await openFiles(copyOf(files), { recovery: 'salvage' });
        const whole = await contentOf(reference);
        const { wrap } = dying(changes);
        try {
          await (await openFiles(files, { recovery: 'salvage' }, wrap)).repair();
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORAGE_IO' });
        }
        const after = await openFiles(copyOf(files), { recovery: 'salvage' });
        expect(await contentOf(after)).toEqual(whole);
        await after.repair();
        await checkRepaired(after, whole);
      }),
      { numRuns: 80, seed: 10 },
    );
  });

  it('refuse writes until the repair, and say why; reading works', async () => {
    const files = copyOf(well.files);
    damageFile(files, 'data-1-vectors-0', { kind: 'flip', at: 75, bit: 1 });
    const warnings: string[] = [];
    const database = await openFiles(files, { recovery: 'salvage' });
    database.on('warning', ({ code, message }) => warnings.push(`${code} ${message}`));
    expect(warnings).toEqual([expect.stringMatching(/^CORRUPTION data-1-vectors-0: .* at byte/)]);
    const books = await database.collection('books');
    for (const write of [
      () => books.insert(record(1)),
      () => database.checkpoint(),
      () => database.compact(),
    ])
      await expect(write()).rejects.toMatchObject({ code: 'READ_ONLY' });
    expect((await books.query({ vector: record(20).vector, topK: 1 }))[0]!.id).toBe('id20');
    const [problem] = (await database.verify()).problems;
    expect(problem).toMatchObject({ file: 'data-1-vectors-0', kind: 'checksum', ids: ['id2'] });
  });

  it('find nothing to do where nothing is wrong', async () => {
    const database = await openFiles(copyOf(well.files), { recovery: 'salvage' });
    expect(await database.repair()).toEqual({ repaired: [], recordsRecovered: 0, recordsLost: [] });
    await checkRepaired(database, well.content);
  });

  it('mend what is damaged while the database is open', async () => {
    await fc.assert(
      fc.asyncProperty(anyDamage, async ({ name, damage }) => {
        const files = copyOf(well.files);
        const database = await openFiles(files);
        damageFile(files, name, damage);
        const report = await database.repair();
        const before = await contentOf(database);
        expect(new Set(differences(before).gone)).toEqual(lostIds(report));
        if (!name.startsWith('data')) expect(report.recordsLost).toEqual([]);
        await checkRepaired(database, before);
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it('name the record of which the log has lost the content, and keep the rest of its batch', async () => {
    const log = [...well.files.keys()].find((name) => name.startsWith('log'))!;
    const bytes = well.files.get(log)!.copy(0, well.files.get(log)!.length);
    const text = new TextDecoder('latin1').decode(bytes);
    const files = copyOf(well.files);
    damageFile(files, log, { kind: 'flip', at: text.indexOf('"index":52'), bit: 0 });
    await expect(openFiles(copyOf(files))).rejects.toMatchObject({
      code: 'CORRUPTION',
      details: { file: log, offset: expect.any(Number) },
    });
    const report = await (await openFiles(files, { recovery: 'salvage' })).repair();
    expect(report.recordsLost).toEqual([{ collection: 'books', ids: ['id52'] }]);
    expect(report.repaired).toMatchObject([{ file: log, kind: 'checksum', ids: ['id52'] }]);
    const content = await contentOf(await openFiles(files));
    expect(differences(content)).toEqual({ gone: ['books/id52'], changed: [], back: [] });
  });

  it('mend a damaged log of which an archive is kept, and let the archive go on', async () => {
    const files = copyOf(well.files);
    const log = [...files.keys()].find((name) => name.startsWith('log'))!;
    damageFile(files, log, { kind: 'flip', at: 600, bit: 0 });
    const options = { recovery: 'salvage', archive: true } as const;
    const database = await openFiles(files, options);
    const content = await contentOf(database);
    expect((await database.repair()).repaired[0]).toMatchObject({ file: log });
    await checkRepaired(database, content);
    await database.checkpoint();
    expect((await database.stats()).log).toMatchObject({
      oldestRestorable: { sequence: expect.any(Number) },
    });
  });

  it('keep records whose collection was created where the log is damaged', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files);
    const lost = await database.collection('lost', { dimensions: 4 });
    await lost.insert([record(1), record(2)]);
    damageFile(files, [...files.keys()].find((name) => name.startsWith('log'))!, {
      kind: 'flip',
      at: 80,
      bit: 2,
    });
    const salvaged = await openFiles(copyOf(files), { recovery: 'salvage' });
    expect((await salvaged.repair()).repaired.length).toBe(2);
    expect([...(await contentOf(salvaged)).get('recovered-1')!.keys()]).toEqual(['id1', 'id2']);
    expect(await salvaged.verify()).toMatchObject({ ok: true });
  });

  it('leave a damaged database as it is when opened read-only', async () => {
    const files = copyOf(well.files);
    damageFile(files, 'data-1-records-0', { kind: 'flip', at: 300, bit: 1 });
    const damaged = copyOf(files);
    const database = await openFiles(files, { recovery: 'salvage', readOnly: true });
    expect((await contentOf(database)).get('books')!.size).toBe(well.content.get('books')!.size - 1);
    await expect(database.repair()).rejects.toMatchObject({ code: 'READ_ONLY' });
    await database.close();
    expect([...files].map(([name, file]) => [name, file.copy(0, file.length)])).toEqual(
      [...damaged].map(([name, file]) => [name, file.copy(0, file.length)]),
    );
  });
});

/** One changed byte costs one record at most, and none where another file says the same. */
function expectOnlyDamaged(name: string, damage: Damage, gone: string[]): void {
  if (damage.kind === 'flip') expect(gone.length).toBeLessThanOrEqual(1);
  if (/manifest|rows|graph/.test(name)) expect(gone).toEqual([]);
}

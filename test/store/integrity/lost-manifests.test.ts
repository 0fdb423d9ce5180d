import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../../src/storage/memory.ts';
import {
  type Content,
  contentOf,
  copyOf,
  damageFile,
  damageOf,
  fillDatabase,
  openFiles,
  record,
} from './damaged.ts';

const MANIFESTS = ['manifest', 'manifest-copy'];

async function filled(): Promise<{ files: MemoryFiles; content: Content }> {
  const files = new MemoryFiles();
  const database = await openFiles(files);
  await fillDatabase(database);
  return { files: copyOf(files), content: await contentOf(database) };
}

const well = await filled();

function withoutManifests(files: MemoryFiles): MemoryFiles {
  const copy = copyOf(files);
  for (const name of MANIFESTS) copy.delete(name);
  return copy;
}

/** Collections by the names they had: `late` was created in the log; the others' names were in the manifest alone. */
const underOldNames = (content: Content): Content =>
  new Map(
    [...content].map(([name, records]) => [
      { 'recovered-1': 'books', 'recovered-2': 'notes' }[name] ?? name,
      records,
    ]),
  );

/** Record by record: the order of insertion may differ where the log repeats what the files have. */
function expectSame(content: Content, expected: Content): void {
  const found = underOldNames(content);
  for (const [name, records] of expected)
    if (records.size > 0)
      expect(Object.fromEntries(found.get(name) ?? [])).toEqual(Object.fromEntries(records));
  for (const [name, records] of found) expect([name, records.size]).toEqual([name, expected.get(name)?.size]);
}

describe('a database without a manifest', () => {
  it('is refused by a strict opening, and saved by salvaging: every record, under a made-up name where none is left', async () => {
    for (const missing of [true, false]) {
      const files = missing ? withoutManifests(well.files) : copyOf(well.files);
      if (!missing) for (const name of MANIFESTS) damageFile(files, name, { kind: 'flip', at: 100, bit: 1 });
      await expect(openFiles(copyOf(files))).rejects.toMatchObject({ code: 'CORRUPTION' });
      const database = await openFiles(files, { recovery: 'salvage' });
      const { repaired, recordsLost } = await database.repair();
      expect(recordsLost).toEqual([]);
      expect(repaired.filter(({ file }) => MANIFESTS.includes(file)).length).toBeGreaterThanOrEqual(4);
      expect(repaired).toContainEqual(
        expect.objectContaining({ message: expect.stringMatching(/"recovered-2" now, with 4 dimensions/) }),
      );
      expectSame(await contentOf(database), well.content);
      expect(await database.verify()).toMatchObject({ ok: true });
      expect((await (await database.collection('late')).info()).config.metric).toBe('dot');
      const books = await database.collection('recovered-1');
      const [hit] = await books.query({ vector: record(20).vector, topK: 1 });
      expect(hit!.id).toBe('id20');
      await books.upsert(record(200));
      await database.collection('new', { dimensions: 2 });
      await database.close();
      const again = await openFiles(files);
      expect(await again.verify()).toMatchObject({ ok: true });
      expect(await (await again.collection('recovered-1')).count()).toBe(well.content.get('books')!.size + 1);
      await again.close();
    }
  });

  it('keeps the names that the archive knows', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files, { archive: true });
    await fillDatabase(database);
    const content = await contentOf(database);
    const salvaged = await openFiles(withoutManifests(files), { recovery: 'salvage' });
    expect([...(await contentOf(salvaged)).keys()].sort()).toEqual(['books', 'late', 'notes']);
    expectSame(await contentOf(salvaged), new Map([...content].filter(([name]) => name !== 'empty')));
  });

  it('loses no more than what else is damaged has cost', async () => {
    const names = [...well.files.keys()].filter((name) => name.startsWith('data') && !name.includes('graph'));
    const anyDamage = fc.record({ name: fc.constantFrom(...names), damage: damageOf });
    await fc.assert(
      fc.asyncProperty(anyDamage, async ({ name, damage }) => {
        const files = withoutManifests(well.files);
        damageFile(files, name, damage);
        const database = await openFiles(files, { recovery: 'salvage' });
        const found = underOldNames(await contentOf(database));
        const gone: string[] = [];
        for (const [collection, records] of well.content)
          for (const [id, expected] of records) {
            const kept = found.get(collection)?.get(id);
            if (kept === undefined) gone.push(`${collection}/${id}`);
            else expect(kept).toEqual(expected);
          }
        for (const [collection, records] of found)
          for (const id of records.keys()) expect(well.content.get(collection)?.has(id)).toBe(true);
        if (damage.kind === 'flip') expect(gone.length).toBeLessThanOrEqual(1);
        if (name.includes('rows')) expect(gone).toEqual([]);
        await database.repair();
        expect(await database.verify()).toMatchObject({ ok: true });
      }),
      { numRuns: 100, seed: 12 },
    );
  });

  it('whose manifests go while it is open is verified against memory, and repaired from it', async () => {
    const files = copyOf(well.files);
    const database = await openFiles(files);
    const before = await contentOf(database);
    for (const name of MANIFESTS) files.delete(name);
    const { ok, problems } = await database.verify();
    expect([ok, problems.map(({ file, kind }) => [file, kind])]).toEqual([
      false,
      [
        ['manifest-copy', 'missing'],
        ['manifest', 'missing'],
      ],
    ]);
    expect((await database.repair()).recordsLost).toEqual([]);
    expect(await database.verify()).toMatchObject({ ok: true });
    const again = await openFiles(copyOf(files));
    expect(await contentOf(again)).toEqual(before);
  });

  it('cannot have the cosine as its metric where a vector is zero', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files);
    const collection = await database.collection('c', { dimensions: 2, metric: 'dot' });
    await collection.insert([{ vector: [1, 1] }, { vector: [0, 0] }]);
    await database.checkpoint();
    const salvaged = await openFiles(withoutManifests(files), { recovery: 'salvage' });
    const [info] = await salvaged.collections();
    expect(info).toMatchObject({ count: 2, config: { dimensions: 2, metric: 'euclidean' } });
  });
});

import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/base/api.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import { openLocal } from '../../src/store/open.ts';
import { vectorOf } from './fixture.ts';
import { copyOfFiles, memoryPlatform } from './memory-platform.ts';

const RECORDS = 500;
const FIELDS = { word: 'keyword', n: 'number', at: 'date' } as const;
let places = 0;

function openFiles(files: MemoryFiles): Promise<Database> {
  const location = `payload-${++places}`;
  return openLocal(memoryPlatform(new Map([[location, files]])), location, {});
}

const records = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({
    id: `r${from + at}`,
    vector: vectorOf(from + at + 1, 2),
    metadata: { word: `w${(from + at) % 7}`, n: from + at, at: new Date((from + at) * 1000) },
  }));

const answer = async (database: Database) => {
  const collection = await database.collection('c');
  return [
    await collection.count({ word: 'w3', n: { $gte: 100 } }),
    await collection.count({ at: { $lt: new Date(50_000) } }),
  ];
};

const payloadFiles = (files: MemoryFiles) => [...files.keys()].filter((name) => name.includes('-payload-'));

async function stored(): Promise<{ files: MemoryFiles; expected: number[] }> {
  const files = new MemoryFiles();
  const database = await openFiles(files);
  const collection = await database.collection('c', { dimensions: 2, fields: FIELDS });
  await collection.insert(records(0, RECORDS));
  await database.checkpoint();
  const expected = await answer(database);
  await database.close();
  return { files, expected };
}

describe('the file of payload indexes', () => {
  it('is read on opening, and grows with checkpoints by what has come since', async () => {
    const { files, expected } = await stored();
    const [name] = payloadFiles(files);
    const { length } = files.get(name!)!;
    const database = await openFiles(files);
    expect(await answer(database)).toEqual(expected);
    const collection = await database.collection('c');
    await collection.insert(records(RECORDS, 70));
    await database.checkpoint();
    expect(payloadFiles(files)).toEqual([name]);
    const grown = files.get(name!)!.length - length;
    expect(grown).toBeGreaterThan(70 * 20);
    expect(grown).toBeLessThan(70 * 20 + 1000);
    await database.checkpoint();
    expect(files.get(name!)!.length).toBe(length + grown);
    expect(await collection.count({ n: { $gte: RECORDS } })).toBe(70);
    expect((await database.verify()).problems).toEqual([]);
    await database.close();
  });

  it('is made anew with compaction and with other fields, and the old one goes', async () => {
    const { files } = await stored();
    const [before] = payloadFiles(files);
    const database = await openFiles(files);
    const collection = await database.collection('c');
    await collection.delete({ filter: { n: { $lt: 100 } } });
    await database.compact();
    expect(await collection.count({ n: { $lt: 103 } })).toBe(3);
    const [compacted, ...others] = payloadFiles(files);
    expect(others).toEqual([]);
    expect(compacted).not.toBe(before);
    await collection.setFields({ word: 'keyword' });
    expect(payloadFiles(files)).toHaveLength(1);
    expect(payloadFiles(files)).not.toEqual([compacted]);
    expect((await database.verify()).problems).toEqual([]);
    await collection.setFields({});
    expect(payloadFiles(files)).toEqual([]);
    await database.close();
  });

  it('is made anew, with a warning, when it is damaged or missing; verify names it', async () => {
    const { files, expected } = await stored();
    const [name] = payloadFiles(files);
    const { length } = files.get(name!)!;
    const damages: [string, (damaged: MemoryFiles) => void][] = [
      ['missing', (damaged) => damaged.delete(name!)],
      ['cut', (damaged) => damaged.get(name!)!.resize(length - 1)],
      ...[0, 10, 33, 60, 1000, length - 1].map((offset): [string, (damaged: MemoryFiles) => void] => [
        `byte ${offset}`,
        (damaged) => {
          const content = damaged.get(name!)!;
          content.write(offset, Uint8Array.of(content.copy(offset, 1)[0]! ^ 4));
        },
      ]),
    ];
    for (const [what, damage] of damages) {
      const damaged = copyOfFiles(files);
      damage(damaged);
      const database = await openFiles(damaged);
      const warnings: string[] = [];
      database.on('warning', ({ message }) => warnings.push(message));
      expect([what, warnings]).toEqual([what, [expect.stringContaining(name!)]]);
      expect(await answer(database)).toEqual(expected);
      const { problems } = await database.verify();
      expect([what, new Set(problems.map(({ file }) => file))]).toEqual([what, new Set([name])]);
      const collection = await database.collection('c');
      await collection.insert(records(RECORDS, 1));
      await database.checkpoint();
      expect((await database.verify()).problems).toEqual([]);
      expect(payloadFiles(damaged)).not.toContain(name);
      await database.close();
      const again = await openFiles(damaged);
      again.on('warning', ({ message }) => warnings.push(message));
      expect(warnings).toHaveLength(1);
      await again.close();
    }
  });

  it('is kept whole by a repair of what it is derived from', async () => {
    const { files } = await stored();
    const name = [...files.keys()].find((each) => each.includes('-records-'))!;
    const content = files.get(name)!;
    content.write(5000, Uint8Array.of(content.copy(5000, 1)[0]! ^ 4));
    const location = `payload-${++places}`;
    const platform = memoryPlatform(new Map([[location, files]]));
    const database = await openLocal(platform, location, { recovery: 'salvage' });
    await database.repair();
    await database.checkpoint();
    const collection = await database.collection('c');
    const rest = (await collection.info()).count;
    expect(await collection.count({ n: { $gte: 0 } })).toBe(rest);
    expect((await database.verify()).problems).toEqual([]);
    await database.close();
  });
});

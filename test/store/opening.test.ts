import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/base/api.ts';
import { open } from '../../src/index.node.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import { openLocal } from '../../src/store/open.ts';
import { vectorOffset } from '../../src/tables/vectors-file.ts';
import { vectorOf } from './fixture.ts';
import { memoryPlatform } from './memory-platform.ts';

const DIMENSIONS = 4;
/** More than are made findable in one turn. */
const COUNT = 20_000;

const openFiles = (files: MemoryFiles): Promise<Database> =>
  openLocal(memoryPlatform(new Map([['many', files]])), 'many', {});

const record = (number: number) => ({ id: `id ${number}`, vector: vectorOf(number + 1, DIMENSIONS) });

async function filled(): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const database = await openFiles(files);
  const collection = await database.collection('c', { dimensions: DIMENSIONS, quantization: 'int8' });
  await collection.insert(Array.from({ length: COUNT }, (_, number) => record(number)));
  await collection.delete(['id 1', 'id 19999']);
  await database.close();
  return files;
}

describe('a database that has just been opened', () => {
  it('answers, finds every id and refuses those that are there, whatever is asked first', async () => {
    const files = await filled();
    const first: ((database: Database) => Promise<void>)[] = [
      async (database) => {
        const collection = await database.collection('c');
        expect((await collection.get(['id 0', 'id 1', 'id 19998'])).map((found) => found?.id)).toEqual([
          'id 0',
          undefined,
          'id 19998',
        ]);
      },
      async (database) => {
        const collection = await database.collection('c');
        await expect(collection.insert(record(12_345))).rejects.toMatchObject({ code: 'DUPLICATE_ID' });
        await collection.insert(record(19_999));
        expect(await collection.delete('id 19999')).toEqual({ deleted: 1 });
      },
      async (database) => {
        const collection = await database.collection('c');
        const [hit] = await collection.query({ vector: vectorOf(501, DIMENSIONS), topK: 1, exact: true });
        expect(hit?.id).toBe('id 500');
      },
      (database) =>
        database.transaction(async (transaction) => {
          expect((await transaction.collection('c').get('id 7'))?.id).toBe('id 7');
        }),
    ];
    for (const ask of first) {
      const database = await openFiles(files);
      await ask(database);
      for (const next of first) await next(database);
      await database.close();
    }
  });

  it('can be closed at once', async () => {
    const files = await filled();
    await (await openFiles(files)).close();
    const database = await openFiles(files);
    expect((await (await database.collection('c')).info()).count).toBe(COUNT - 2);
    await database.close();
  });
});

describe('a collection of vectors that are not quantised, large enough to be read by blocks', () => {
  const dimensions = 300;
  const count = 4600;
  const all = Array.from({ length: count }, (_, number) => vectorOf(number + 1, dimensions));
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isovec-opening-'));
    const database = await open(join(folder, 'db'));
    const collection = await database.collection('c', { dimensions, index: { m: 4, efConstruction: 10 } });
    const records = all.map((vector, number) => ({ id: String(number), vector }));
    await collection.insert(records.slice(0, 4000));
    while ((await collection.info()).indexed < 4000) await new Promise((resolve) => setTimeout(resolve, 5));
    await database.checkpoint();
    // In files, and not in the graph.
    await database.pauseIndexing();
    await collection.insert(records.slice(4000));
    await collection.delete(['7', '4500']);
    await database.close();
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  it('finds every one of them again, and none that was deleted', async () => {
    const database = await open(join(folder, 'db'));
    const collection = await database.collection('c');
    expect((await collection.info()).count).toBe(count - 2);
    for (const number of [0, 6, 8, 2345, 3999, 4000, 4499, 4501, 4599]) {
      const [hit] = await collection.query({ vector: all[number]!, topK: 1, exact: true });
      expect(hit?.id).toBe(String(number));
    }
    for (const number of [7, 4500]) {
      const [hit] = await collection.query({ vector: all[number]!, topK: 1, exact: true });
      expect(hit?.id).not.toBe(String(number));
    }
    await database.close();
  });

  it('is refused where one is damaged, by file and row', async () => {
    const damaged = join(folder, 'damaged');
    await cp(join(folder, 'db'), damaged, { recursive: true });
    const name = (await readdir(damaged)).find((file) => file.includes('vectors'))!;
    const bytes = await readFile(join(damaged, name));
    const row = 3210;
    const offset = vectorOffset(row, dimensions);
    bytes[offset + 17]! ^= 4;
    await writeFile(join(damaged, name), bytes);
    await expect(open(damaged)).rejects.toMatchObject({
      code: 'CORRUPTION',
      details: { row, offset },
    });
  });
});

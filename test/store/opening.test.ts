import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/base/api.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import { openLocal } from '../../src/store/open.ts';
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

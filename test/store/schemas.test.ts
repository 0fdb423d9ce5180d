/** What becomes of a schema when the store does not end well, and of its past. */
import { describe, expect, it } from 'vitest';
import type { Database, OpenOptions } from '../../src/base/api.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import { openLocal } from '../../src/store/open.ts';
import { restoreLocal } from '../../src/store/restore.ts';
import { copyOfFiles, memoryPlatform } from './memory-platform.ts';

const places = new Map<string, MemoryFiles>();
const platform = memoryPlatform(places);
let count = 0;

/** Opens these files, in a place of their own, so that no lock of an earlier life stands in the way. */
async function openFiles(
  files: MemoryFiles,
  options: OpenOptions = {},
): Promise<Database & { files: MemoryFiles }> {
  const location = `schemas-${++count}`;
  places.set(location, files);
  return Object.assign(await openLocal(platform, location, options), { files });
}

const record = (id: string, page: unknown) => ({ id, vector: [1, 1], metadata: { page } });
const pages = (type: string) => ({ properties: { page: { type } } });

async function schemaIn(database: Database): Promise<object | undefined> {
  return (await (await database.collection('c')).info()).config.schema;
}

describe('a schema', () => {
  it('is found in the log, by itself or with the creation of its collection, and behind it', async () => {
    const database = await openFiles(new MemoryFiles());
    const collection = await database.collection('c', { dimensions: 2, schema: pages('string') });
    await collection.insert(record('a', 'one'));
    expect(await schemaIn(await openFiles(copyOfFiles(database.files)))).toEqual(pages('string'));
    await collection.setSchema(undefined);
    await collection.insert(record('b', 2));
    expect(await schemaIn(await openFiles(copyOfFiles(database.files)))).toBeUndefined();
    await collection.delete('a');
    await collection.setSchema(pages('number'));
    const crashed = await openFiles(copyOfFiles(database.files));
    expect(await schemaIn(crashed)).toEqual(pages('number'));
    const reopened = await crashed.collection('c');
    await expect(reopened.insert(record('c', 'three'))).rejects.toMatchObject({ code: 'SCHEMA_VIOLATION' });
    expect(await crashed.verify()).toMatchObject({ ok: true });
    await database.checkpoint();
    const stored = copyOfFiles(database.files);
    expect(await schemaIn(await openFiles(stored))).toEqual(pages('number'));
  });

  it('is restored as it was at any time, as what it was held against is', async () => {
    const database = await openFiles(new MemoryFiles(), { archive: true });
    const source = `schemas-${count}`;
    const collection = await database.collection('c', { dimensions: 2 });
    const states: { sequence: number; schema: object | undefined; count: number }[] = [];
    const note = async () => {
      const { lastSequence } = (await database.stats()).log;
      states.push({
        sequence: lastSequence,
        schema: await schemaIn(database),
        count: await collection.count(),
      });
    };
    for (const [at, type] of (['string', 'number', undefined, 'boolean'] as const).entries()) {
      const page = { string: 'x', number: 1, boolean: true, undefined: null }[`${type}`];
      await collection.delete({ filter: {} });
      await collection.setSchema(type && pages(type));
      await note();
      await collection.insert([record(`a${at}`, page), record(`b${at}`, page)]);
      await note();
      if (at % 2 === 1) await database.checkpoint();
    }
    await database.close();
    for (const { sequence, schema, count: records } of states) {
      const destination = `schemas-${++count}`;
      await restoreLocal(platform, source, destination, { sequence });
      const restored = await openLocal(platform, destination, {});
      expect(await schemaIn(restored)).toEqual(schema);
      expect(await (await restored.collection('c')).count()).toBe(records);
      await restored.close();
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { Collection, Database, OpenOptions } from '../../src/base/api.ts';
import { IsovecError } from '../../src/base/errors.ts';
import { MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';
import { openLocal } from '../../src/store/open.ts';
import { vectorOf } from './fixture.ts';
import { copyOfFiles, memoryPlatform } from './memory-platform.ts';

const DIMENSIONS = 4;
let places = 0;

/** Opens these files, in a place of their own, so that no lock of an earlier life stands in the way. */
function openFiles(
  files: MemoryFiles,
  wrap?: (backend: StorageBackend) => StorageBackend,
  options: OpenOptions = {},
): Promise<Database> {
  const location = `recovery-${++places}`;
  return openLocal(memoryPlatform(new Map([[location, files]]), wrap), location, options);
}

async function contentOf(collection: Collection): Promise<Map<string, unknown>> {
  const content = new Map<string, unknown>();
  for await (const { id, vector, metadata } of collection.scan()) content.set(id, { vector, metadata });
  return content;
}

const record = (index: number, generation = 0) => ({
  id: `id${index}`,
  vector: vectorOf(index + generation * 1000 + 1, DIMENSIONS),
  metadata: { index, generation },
});
const expected = ({ vector, metadata }: ReturnType<typeof record>) => ({
  vector: Float32Array.from(vector),
  metadata,
});

/** Lets so many changes through, then dies: nothing more reaches the files, in the middle of a write if need be. */
class DyingStorage {
  changesLeft: number;
  constructor(changesLeft: number) {
    this.changesLeft = changesLeft;
  }

  wrap = (backend: StorageBackend): StorageBackend => {
    const live = (): boolean => this.changesLeft-- > 0;
    const die = () => new IsovecError('STORAGE_IO', 'the process has died');
    const { open, remove, replace } = backend;
    backend.remove = (name) => (live() ? remove.call(backend, name) : Promise.reject(die()));
    backend.replace = (name, bytes) => (live() ? replace.call(backend, name, bytes) : Promise.reject(die()));
    backend.open = async (name, options) => {
      const file = await open.call(backend, name, options);
      const { write, truncate } = file;
      file.write = async (offset, bytes) => {
        if (live()) return write.call(file, offset, bytes);
        if (this.changesLeft === -1) await write.call(file, offset, bytes.subarray(0, bytes.length >> 1));
        throw die();
      };
      file.truncate = (size) => (live() ? truncate.call(file, size) : Promise.reject(die()));
      return file;
    };
    return backend;
  };
}

/** Each step resolves when it is promised. */
const LIFE: ((
  database: Database,
  collection: Collection,
  model: Map<string, unknown>,
) => Promise<unknown>)[] = [
  async (_, collection, model) => {
    const batch = Array.from({ length: 30 }, (__, index) => record(index));
    await collection.insert(batch);
    for (const each of batch) model.set(each.id, expected(each));
  },
  (database) => database.checkpoint(),
  async (_, collection, model) => {
    const batch = [3, 7, 31, 32].map((index) => record(index, 1));
    await collection.upsert(batch);
    for (const each of batch) model.set(each.id, expected(each));
  },
  async (_, collection, model) => {
    await collection.delete(['id0', 'id31']);
    model.delete('id0');
    model.delete('id31');
  },
  (database) => database.checkpoint(),
  (database) => database.compact(),
  async (_, collection, model) => {
    await collection.insert(record(40));
    model.set('id40', expected(record(40)));
  },
  (database) => database.compact(),
];

/** @returns what has been promised, and the batch that was under way when it died, if any step did */
async function live(
  files: MemoryFiles,
  changesLeft: number,
): Promise<{ promised: Map<string, unknown>; died: boolean }> {
  const storage = new DyingStorage(changesLeft);
  const promised = new Map<string, unknown>();
  try {
    const database = await openFiles(files, storage.wrap);
    database.on('warning', () => {});
    const collection = await database.collection('c', { dimensions: DIMENSIONS });
    for (const step of LIFE) await step(database, collection, promised);
    return { promised, died: storage.changesLeft < 0 };
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORAGE_IO' });
    return { promised, died: true };
  }
}

describe('recovery', () => {
  it('has everything that was promised, wherever the process dies, checkpoints and compaction included', async () => {
    for (let changes = 0; ; changes++) {
      const files = new MemoryFiles();
      const { promised, died } = await live(files, changes);
      const after = copyOfFiles(files);
      const database = await openFiles(after);
      const names = (await database.collections()).map(({ name }) => name);
      if (promised.size > 0) expect(names).toEqual(['c']);
      if (names.length > 0) {
        const content = await contentOf(await database.collection('c'));
        // A batch whose promise never came may be there, but then whole.
        if (content.size !== promised.size) expect(isNextStep(promised, content)).toBe(true);
        else expect([...content].sort()).toEqual([...promised].sort());
      }
      await database.collection('more', { dimensions: 1 });
      await database.close();
      await (await openFiles(after)).close();
      if (!died) {
        expect(changes).toBeGreaterThan(40);
        return;
      }
    }
  });

  it('is the same when it is interrupted and begun again', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files);
    const collection = await database.collection('c', { dimensions: DIMENSIONS });
    await collection.insert(Array.from({ length: 20 }, (_, index) => record(index)));
    await database.checkpoint();
    await collection.delete('id3');
    const crashed = copyOfFiles(files);
    for (let changes = 0; changes < 5; changes++) {
      const storage = new DyingStorage(changes);
      await openFiles(crashed, storage.wrap).catch((error) =>
        expect(error).toMatchObject({ code: 'STORAGE_IO' }),
      );
    }
    const again = await openFiles(crashed);
    expect(await contentOf(await again.collection('c'))).toEqual(await contentOf(collection));
  });

  it('rebuilds a damaged or missing graph, with a warning, and answers the same', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files);
    const collection = await database.collection('c', { dimensions: DIMENSIONS });
    await collection.insert(Array.from({ length: 300 }, (_, index) => record(index)));
    await expect.poll(async () => (await collection.info()).indexed).toBe(300);
    await database.close();
    const graph = [...files.keys()].find((name) => name.includes('graph'))!;
    expect(graph).toBeDefined();
    const ask = async (opened: Database) =>
      (await opened.collection('c')).query({ vector: vectorOf(5, DIMENSIONS), ef: 300 });
    const whole = await openFiles(copyOfFiles(files));
    const answer = await ask(whole);
    expect((await (await whole.collection('c')).info()).indexed).toBe(300);
    for (const offset of [20, 21, 150, 1000, 5000, 20_000]) {
      const damaged = copyOfFiles(files);
      damaged.get(graph)!.write(offset, Uint8Array.of(damaged.get(graph)!.copy(offset, 1)[0]! ^ 4));
      const warned: string[] = [];
      (await openFiles(damaged)).on('warning', ({ message }) => warned.push(message));
      expect(warned).toEqual([expect.stringContaining(graph)]);
    }
    for (const damage of ['flip', 'cut', 'remove'] as const) {
      const damaged = copyOfFiles(files);
      const content = damaged.get(graph)!;
      if (damage === 'flip') content.write(100, Uint8Array.of(content.copy(100, 1)[0]! ^ 1));
      else if (damage === 'cut') content.resize(content.length - 1);
      else damaged.delete(graph);
      const opened = await openFiles(damaged);
      const warnings: string[] = [];
      opened.on('warning', ({ message }) => warnings.push(message));
      expect(warnings).toEqual([expect.stringContaining(graph)]);
      expect(await ask(opened)).toEqual(answer);
      await expect.poll(async () => (await (await opened.collection('c')).info()).indexed).toBe(300);
    }
  });

  it.each(['rows', 'records', 'vectors'])('misses the end of a file of %s that was cut', async (kind) => {
    const files = new MemoryFiles();
    const database = await openFiles(files);
    const collection = await database.collection('c', { dimensions: DIMENSIONS });
    await collection.insert(Array.from({ length: 12 }, (_, index) => record(index)));
    await database.checkpoint();
    const name = [...files.keys()].find((file) => file.includes(kind))!;
    const { length } = files.get(name)!;
    for (const cut of [length - 1, length >> 1, 0]) {
      const damaged = copyOfFiles(files);
      damaged.get(name)!.resize(cut);
      await expect(openFiles(damaged)).rejects.toMatchObject({
        code: 'CORRUPTION',
        details: { file: name },
      });
    }
  });

  it('never gives a wrong answer when any stored byte has changed', async () => {
    const files = new MemoryFiles();
    const database = await openFiles(files);
    const collection = await database.collection('c', { dimensions: DIMENSIONS });
    await collection.insert(Array.from({ length: 12 }, (_, index) => record(index)));
    await database.checkpoint();
    await collection.delete('id1');
    await database.checkpoint();
    await collection.insert(record(12));
    const content = await contentOf(collection);
    for (const [name, { length }] of copyOfFiles(files))
      for (let offset = 0; offset < length; offset += name.startsWith('log') ? 1 : 3) {
        const damaged = copyOfFiles(files);
        const byte = damaged.get(name)!.copy(offset, 1)[0]!;
        damaged.get(name)!.write(offset, Uint8Array.of(byte ^ 0x10));
        const where = `${name} at byte ${offset}`;
        try {
          const opened = await openFiles(damaged);
          let warned = 0;
          opened.on('warning', () => warned++);
          const found = await contentOf(await opened.collection('c'));
          // The one entry that the log ends with may be taken for a torn write, but not silently.
          if (found.size === content.size - 1) expect(warned, where).toBe(1);
          else expect(found, where).toEqual(content);
        } catch (error) {
          expect(error, where).toMatchObject({
            code: expect.stringMatching(/^(CORRUPTION|FORMAT_VERSION)$/),
          });
          expect((error as IsovecError).details, where).toMatchObject({ file: expect.any(String) });
        }
      }
  });

  it('goes on after a failed write, with nothing that was acknowledged lost', async () => {
    const files = new MemoryFiles();
    const storage = new DyingStorage(Number.POSITIVE_INFINITY);
    const database = await openFiles(files, storage.wrap);
    const collection = await database.collection('c', { dimensions: DIMENSIONS });
    await collection.insert(record(1));
    storage.changesLeft = 0;
    const failed = await Promise.allSettled([collection.insert(record(2)), collection.insert(record(3))]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await collection.count()).toBe(1);
    await expect(collection.insert(record(4))).rejects.toMatchObject({ code: 'STORAGE_IO' });
    storage.changesLeft = Number.POSITIVE_INFINITY;
    const content = new Map([['id1', expected(record(1))]]);
    expect(await contentOf(await (await openFiles(copyOfFiles(files))).collection('c'))).toEqual(content);
  });
});

/** Whether `content` is what the next step of the life would have made of `promised`. */
function isNextStep(promised: Map<string, unknown>, content: Map<string, unknown>): boolean {
  const added = [...content.keys()].filter((id) => !promised.has(id));
  const gone = [...promised.keys()].filter((id) => !content.has(id));
  const steps = [
    { added: Array.from({ length: 30 }, (_, index) => `id${index}`), gone: [] },
    { added: ['id31', 'id32'], gone: [] },
    { added: [], gone: ['id0', 'id31'] },
    { added: ['id40'], gone: [] },
  ];
  return steps.some((step) => step.added.join() === added.join() && step.gone.join() === gone.join());
}

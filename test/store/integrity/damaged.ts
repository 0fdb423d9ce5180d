/** Damage to files, and databases to do it to. */
import * as fc from 'fast-check';
import type { Collection, Database, OpenOptions } from '../../../src/base/api.ts';
import { GrowableBytes, MemoryFiles } from '../../../src/storage/memory.ts';
import type { StorageBackend } from '../../../src/storage/storage.ts';
import { openLocal } from '../../../src/store/open.ts';
import { vectorOf } from '../fixture.ts';
import { memoryPlatform } from '../memory-platform.ts';

export const DIMENSIONS = 4;
let places = 0;

/** Opens these files, in a place of their own, so that no lock of an earlier life stands in the way. */
export function openFiles(
  files: MemoryFiles,
  options: OpenOptions = {},
  wrap?: (backend: StorageBackend) => StorageBackend,
): Promise<Database> {
  const location = `damaged-${++places}`;
  return openLocal(memoryPlatform(new Map([[location, files]]), wrap), location, options);
}

/** What a crash leaves: the bytes as they are now, without the hint that lives as long as the processes do. */
export function copyOf(files: MemoryFiles): MemoryFiles {
  const copy = new MemoryFiles();
  for (const [name, content] of files)
    if (name !== 'watermark') copy.set(name, growable(content.copy(0, content.length)));
  return copy;
}

function growable(bytes: Uint8Array): GrowableBytes {
  const content = new GrowableBytes();
  content.write(0, bytes);
  return content;
}

export const record = (index: number, generation = 0) => ({
  id: `id${index}`,
  vector: vectorOf(index + generation * 1000 + 1, DIMENSIONS),
  metadata: { index, generation, note: 'x'.repeat(index % 50) },
});

export type Content = Map<string, Map<string, unknown>>;

/** Every record, by collection and id. */
export async function contentOf(database: Database): Promise<Content> {
  const content: Content = new Map();
  for (const { name } of await database.collections()) {
    const records = new Map<string, unknown>();
    for await (const { id, ...rest } of (await database.collection(name)).scan()) records.set(id, rest);
    content.set(name, records);
  }
  return content;
}

/** Several collections and checkpoints, dead rows, a graph, and a tail of the log that is in no file yet. */
export async function fillDatabase(database: Database): Promise<void> {
  const books = await database.collection('books', { dimensions: DIMENSIONS });
  await insert(books, 0, 40);
  await database.checkpoint();
  await books.delete(['id3', 'id4']);
  await books.upsert([record(5, 1), record(6, 1)]);
  await insert(books, 40, 50);
  const notes = await database.collection('notes', {
    dimensions: DIMENSIONS,
    metric: 'euclidean',
    index: { type: 'flat' },
  });
  await insert(notes, 0, 10);
  await database.collection('empty', { dimensions: 2 });
  await waitForGraph(books);
  await database.checkpoint();
  await insert(books, 50, 55);
  await notes.delete('id1');
  const late = await database.collection('late', { dimensions: DIMENSIONS, metric: 'dot' });
  await insert(late, 0, 6);
  await books.upsert([record(7, 2), record(60), record(8, 2)]);
  await books.delete('id9');
  await books.insert(record(61));
}

async function insert(collection: Collection, from: number, to: number): Promise<void> {
  await collection.insert(Array.from({ length: to - from }, (_, index) => record(from + index)));
}

async function waitForGraph(collection: Collection): Promise<void> {
  for (;;) {
    const { count, indexed } = await collection.info();
    if (indexed === count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export type Damage =
  | { kind: 'flip'; at: number; bit: number }
  | { kind: 'truncate'; at: number }
  | { kind: 'remove' }
  /** The content of another file in its place. */
  | { kind: 'swap'; with: number };

export const damageOf: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('swap' as const), with: fc.nat() }) },
);

export function damageFile(files: MemoryFiles, name: string, damage: Damage): void {
  const content = files.get(name)!;
  const { length } = content;
  switch (damage.kind) {
    case 'flip': {
      const at = damage.at % length;
      content.write(at, Uint8Array.of(content.copy(at, 1)[0]! ^ (1 << damage.bit)));
      break;
    }
    case 'truncate':
      content.resize(damage.at % length);
      break;
    case 'remove':
      files.delete(name);
      break;
    case 'swap': {
      const before = content.copy(0, length).join();
      const others = [...files.values()].filter((other) => other.copy(0, other.length).join() !== before);
      const other = others[damage.with % others.length]!;
      files.set(name, growable(other.copy(0, other.length)));
    }
  }
}

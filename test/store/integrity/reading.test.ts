import { beforeEach, describe, expect, it } from 'vitest';
import type { Collection, Database, Filter } from '../../../src/base/api.ts';
import { MemoryFiles } from '../../../src/storage/memory.ts';
import { damageFile, openFiles, record } from './damaged.ts';

const RECORDS = 'data-1-records-0';
const VECTORS = 'data-1-vectors-0';
/** In its own block of records, for none is small. */
const DAMAGED = 'id7';

let files: MemoryFiles;
let database: Database;
let collection: Collection;

const everything = ['metadata', 'vector'] as const;
const { vector } = record(7);

async function scanAll(include: ('metadata' | 'vector')[], filter?: Filter): Promise<void> {
  for await (const _ of collection.scan({ include, ...(filter && { filter }) })) {
    // Only to read it.
  }
}

/** Every way to what a record's bytes say. */
const READS: Record<string, () => Promise<unknown>> = {
  get: () => collection.get(DAMAGED),
  'get of many': () => collection.get(['id1', DAMAGED, 'id2']),
  query: () => collection.query({ vector, topK: 3, include: [...everything] }),
  'exact query': () => collection.query({ vector, topK: 3, exact: true, include: [...everything] }),
  queryMany: () => collection.queryMany([{ vector, topK: 3, include: [...everything] }]),
  scan: () => scanAll([...everything]),
  'filtered query': () => collection.query({ vector, topK: 3, filter: {}, include: [...everything] }),
  'filtered scan': () => scanAll([...everything], {}),
  update: () => collection.update({ id: DAMAGED, metadata: { more: 1 } }),
  'get in a transaction': () => database.transaction((tx) => tx.collection('c').get(DAMAGED)),
  compaction: async () => {
    await collection.delete('id1');
    await database.compact();
  },
};

/** And of its metadata alone. */
const METADATA_READS: typeof READS = {
  ...READS,
  'count by filter': () => collection.count({}),
  'deletion by filter': () => collection.delete({ filter: { text: 'none' } }),
};

beforeEach(async () => {
  files = new MemoryFiles();
  const filling = await openFiles(files);
  const filled = await filling.collection('c', { dimensions: 4 });
  await filled.insert(
    Array.from({ length: 12 }, (_, index) => ({
      ...record(index),
      metadata: { text: `metadata of ${index}`.padEnd(20_000, '.') },
    })),
  );
  await filling.close();
});

async function damageAndOpen(name: string, at: number, isOpen: boolean): Promise<void> {
  const damage = () => damageFile(files, name, { kind: 'flip', at, bit: 0 });
  if (!isOpen) damage();
  database = await openFiles(files);
  if (isOpen) damage();
  collection = await database.collection('c');
}

describe('damage that opening does not read', () => {
  for (const [name, read] of Object.entries(METADATA_READS))
    it(`is met by ${name}: to the metadata, with file, offset and id`, async () => {
      await damageAndOpen(RECORDS, textOffset(files, 'metadata of 7'), false);
      await expect(read()).rejects.toMatchObject({
        code: 'CORRUPTION',
        message: expect.stringMatching(/"id7" .*data-1-records-0: .* at byte \d+/),
        details: { file: RECORDS, offset: expect.any(Number), id: DAMAGED },
      });
    });

  for (const [name, read] of Object.entries(READS))
    it(`is met by ${name}: to a vector, when it came after opening`, async () => {
      await damageAndOpen(VECTORS, 32 + 7 * 20 + 3, true);
      await expect(read()).rejects.toMatchObject({
        code: 'CORRUPTION',
        message: expect.stringMatching(/"id7" .*data-1-vectors-0: .* at byte 172/),
        details: { file: VECTORS, offset: 172, id: DAMAGED },
      });
    });

  it('does not keep others from being read and written, and is found by verifying', async () => {
    await damageAndOpen(RECORDS, textOffset(files, 'metadata of 7'), false);
    expect((await collection.get('id6'))!.metadata.text).toMatch(/^metadata of 6/);
    expect((await collection.query({ vector, topK: 3, include: [] }))[0]!.id).toBe(DAMAGED);
    await collection.upsert({ id: 'id20', vector });
    expect((await database.verify()).problems).toMatchObject([
      { file: RECORDS, kind: 'checksum', ids: [DAMAGED] },
    ]);
    await collection.upsert({ id: DAMAGED, vector, metadata: { text: 'anew' } });
    expect((await collection.get(DAMAGED))!.metadata).toEqual({ text: 'anew' });
  });
});

function textOffset(within: MemoryFiles, text: string): number {
  const content = within.get(RECORDS)!;
  return new TextDecoder('latin1').decode(content.copy(0, content.length)).indexOf(text);
}

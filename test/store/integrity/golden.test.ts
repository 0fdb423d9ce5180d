import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/base/crc32c.ts';
import { FORMAT_VERSION } from '../../../src/base/file-header.ts';
import { open } from '../../../src/index.node.ts';
import { contentOf, record } from './damaged.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');
const formats = readdirSync(fixtures).filter((name) => name.startsWith('format-'));

interface PlainRecord {
  vector: number[];
  metadata: unknown;
}

function goldenContent(format: string): Map<string, Map<string, unknown>> {
  const text = readFileSync(join(fixtures, format, 'content.json'), 'utf8');
  const collections = JSON.parse(text) as [string, [string, PlainRecord][]][];
  const restore = ([id, { vector, ...rest }]: [string, PlainRecord]): [string, unknown] => [
    id,
    { ...rest, vector: Float32Array.from(vector) },
  ];
  return new Map(collections.map(([name, records]) => [name, new Map(records.map(restore))]));
}

describe.each(formats)('the golden database of %s', (format) => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isovec-golden-'));
    cpSync(join(fixtures, format, 'database'), folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('has files of every kind', () => {
    const names = readdirSync(folder).join();
    for (const kind of ['manifest', 'log-', 'rows', 'records', 'vectors', 'graph'])
      expect(names).toContain(kind);
  });

  it('opens read-only with exactly its records, and changes by not a byte', async () => {
    const bytes = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'hex')]);
    const before = bytes();
    const database = await open(folder, { readOnly: true });
    expect(await contentOf(database)).toEqual(goldenContent(format));
    expect(await database.verify()).toMatchObject({ ok: true });
    await database.close();
    expect(bytes()).toEqual(before);
  });

  it('can be written, compacted and opened again', async () => {
    const database = await open(folder);
    const books = await database.collection('books');
    await books.insert(record(300));
    await database.compact();
    expect(await database.verify()).toMatchObject({ ok: true });
    const content = await contentOf(database);
    await database.close();
    content.get('books')!.delete('id300');
    expect(content).toEqual(goldenContent(format));
  });

  it('is refused, whichever of its files is of a newer format', async () => {
    const names = readdirSync(folder).filter((name) => !/^(manifest-copy|data-\d+-graph-\d+)$/.test(name));
    for (const name of names) {
      const path = join(folder, name);
      const original = readFileSync(path);
      writeFileSync(path, newer(original));
      for (const recovery of ['strict', 'salvage'] as const)
        await expect(open(folder, { recovery, readOnly: true }), name).rejects.toMatchObject({
          code: 'FORMAT_VERSION',
          details: { file: name },
        });
      writeFileSync(path, original);
    }
  });
});

/** The same file, saying that it is of the next format. */
function newer(original: Buffer): Buffer {
  const changed = Buffer.from(original);
  changed.writeUInt16LE(FORMAT_VERSION + 1, 10);
  changed.writeUInt32LE(crc32c(changed.subarray(0, 12)), 12);
  // Data files and the log have a checksum over this header and the next fields, the manifest has not.
  const isManifest = changed.readUInt16LE(8) === 1;
  if (!isManifest) changed.writeUInt32LE(crc32c(changed.subarray(0, 24)), 24);
  return changed;
}

import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/base/bytes.ts';
import { crc32c } from '../../src/base/crc32c.ts';
import { FORMAT_VERSION } from '../../src/base/file-header.ts';
import { destroy, open } from '../../src/index.node.ts';

const root = mkdtempSync(join(tmpdir(), 'isovec-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'place-'));
});

async function withRecord(location: string): Promise<void> {
  const database = await open(location);
  await (await database.collection('c', { dimensions: 2 })).insert({ id: 'a', vector: [1, 2] });
  await database.close();
}

const contentOf = (location: string) =>
  Object.fromEntries(
    readdirSync(location).map((name) => [name, readFileSync(join(location, name)).toString('hex')]),
  );

describe('a location in files', () => {
  it('that is a file is refused, and the file stays as it was', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'mine');
    const refused = { name: 'IsovecError', code: 'INVALID_ARGUMENT', message: expect.stringContaining(file) };
    await expect(open(file)).rejects.toMatchObject(refused);
    await expect(open(file, { readOnly: true })).rejects.toMatchObject(refused);
    await expect(open(join(file, 'below'))).rejects.toMatchObject({ name: 'IsovecError' });
    expect(contentOf(folder)).toEqual({ file: Buffer.from('mine').toString('hex') });
  });

  it('that holds a file of somebody else under our name is refused, and stays as it was', async () => {
    writeFileSync(join(folder, 'manifest'), 'the manifest of another program, which is longer than a header');
    const before = contentOf(folder);
    await expect(open(folder)).rejects.toMatchObject({
      code: 'CORRUPTION',
      message: expect.stringContaining('not an isovec file'),
      details: { file: 'manifest' },
    });
    expect(contentOf(folder)).toEqual(before);
  });

  it('that holds other files is used without touching them', async () => {
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await withRecord(folder);
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('of a newer format is refused with FORMAT_VERSION, and stays as it was', async () => {
    await withRecord(folder);
    const manifest = join(folder, 'manifest');
    const bytes = readFileSync(manifest);
    const header = new ByteWriter().raw(bytes.subarray(0, 10)).u16(FORMAT_VERSION + 1);
    header.u32(crc32c(header.bytes()));
    writeFileSync(manifest, Buffer.concat([header.bytes(), bytes.subarray(16)]));
    const before = contentOf(folder);
    await expect(open(folder)).rejects.toMatchObject({
      code: 'FORMAT_VERSION',
      details: { file: 'manifest' },
    });
    await expect(open(folder, { readOnly: true })).rejects.toMatchObject({ code: 'FORMAT_VERSION' });
    expect(contentOf(folder)).toEqual(before);
  });

  it('that lies below folders which are not there is made', async () => {
    const deep = join(folder, 'not', 'yet');
    await withRecord(deep);
    await expect(open(join(folder, 'missing'), { readOnly: true })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(readdirSync(folder)).toEqual(['not']);
    await destroy(deep);
    expect(readdirSync(join(folder, 'not'))).toEqual([]);
  });

  // Root writes anywhere, so somebody else must try.
  it.runIf(process.getuid?.() === 0)('without write permission is refused with STORAGE_IO', async () => {
    await withRecord(folder);
    chmodSync(root, 0o755);
    chmodSync(folder, 0o555);
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      `process.setgid(65534);
         process.setuid(65534);
         const { open } = await import(${JSON.stringify(entry)});
         const failure = await open(${JSON.stringify(folder)}, { lockTimeout: 1000 }).catch((error) => error);
         const reader = await open(${JSON.stringify(folder)}, { readOnly: true });
         const count = await (await reader.collection('c')).count();
         console.log(JSON.stringify({ name: failure.name, code: failure.code, message: failure.message, count }));`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'IsovecError',
      code: 'STORAGE_IO',
      message: expect.stringContaining(folder),
      count: 1,
    });
  });
});

const entry = new URL('../../dist/index.node.js', import.meta.url).href;

import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isTransient } from '../../src/storage/failures.ts';
import { FsProvider } from '../../src/storage/fs.ts';
import { fsError } from '../../src/storage/fs-errors.ts';
import { LOCK_FOLDER_NAME } from '../../src/storage/fs-folder.ts';
import { describeStorage } from './contract.ts';
import { failsWith, someBytes } from './helpers.ts';

const root = await mkdtemp(join(tmpdir(), 'isovec-fs-'));
await writeFile(join(root, 'a-file'), 'not a folder');
let locations = 0;
const newLocation = () => join(root, `parent-${locations}`, `db-${locations++}`);

afterAll(() => rm(root, { recursive: true, force: true }));

describeStorage({
  kind: 'fs',
  capabilities: { persistent: true, durableFlush: true, sharedReads: true, sharedWrites: true },
  makeProvider: () => new FsProvider(),
  newLocation,
  badLocations: [
    '',
    join(root, 'a-file'),
    join(root, 'a-file', 'below'),
    `${root}/nul\0`,
    join(root, 'x'.repeat(300)),
  ],
});

const provider = new FsProvider();
const writable = { create: true, readOnly: false };

/** Runs as a user without rights, for root may write anywhere. */
async function unprivileged<T>(run: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid!(65_534);
  try {
    return await run();
  } finally {
    process.seteuid!(0);
  }
}

describe('a folder', () => {
  it('that may not be written is refused, naming folder and operation, and stays as it was', async () => {
    const location = newLocation();
    const backend = await provider.open(location, writable);
    await backend.replace('whole', someBytes(5));
    await backend.close();
    await chmod(root, 0o755);
    await chmod(location, 0o555);
    await unprivileged(async () => {
      const refused = failsWith('STORAGE_IO', { location, systemCode: 'EACCES' });
      await expect(provider.open(location, writable)).rejects.toEqual(refused);
      await expect(provider.open(location, writable)).rejects.toThrow(`write in the folder '${location}'`);
      await expect(provider.open(join(location, 'below'), writable)).rejects.toEqual(
        failsWith('STORAGE_IO', { systemCode: 'EACCES' }),
      );
      await expect(provider.destroy(location)).rejects.toEqual(refused);
      const reader = await provider.open(location, { create: false, readOnly: true });
      expect(await reader.load('whole')).toEqual(someBytes(5));
      await reader.close();
    });
    await chmod(location, 0o755);
    expect(await readdir(location)).toEqual(['whole']);
  });

  it('that may not be read is refused even for reading', async () => {
    const location = newLocation();
    await mkdir(join(location, 'db'), { recursive: true });
    await chmod(root, 0o755);
    await chmod(location, 0o000);
    await unprivileged(() =>
      expect(provider.open(join(location, 'db'), { create: false, readOnly: true })).rejects.toEqual(
        failsWith('STORAGE_IO', { systemCode: 'EACCES' }),
      ),
    );
    await chmod(location, 0o755);
  });

  it('is made by several at once, with all above it', async () => {
    for (let round = 0; round < 50; round++) {
      const location = join(newLocation(), 'deep', 'below');
      const backends = await Promise.all([1, 2, 3].map(() => provider.open(location, writable)));
      for (const backend of backends) await backend.close();
      expect(await provider.exists(location)).toBe(true);
    }
  });

  it.runIf(process.platform === 'linux')('that cannot be made is refused', async () => {
    await expect(provider.open('/proc/no/such', writable)).rejects.toEqual(
      failsWith('STORAGE_IO', { location: '/proc/no/such' }),
    );
  });

  it('keeps what is foreign: it is not listed, and destroy leaves it', async () => {
    const location = newLocation();
    await mkdir(join(location, 'subfolder'), { recursive: true });
    await writeFile(join(location, 'Notes.txt'), 'mine');
    await writeFile(join(location, 'draft.new'), 'unfinished');
    const backend = await provider.open(location, writable);
    await backend.replace('whole', someBytes(5));
    expect(await backend.list()).toEqual(['whole']);
    await backend.close();
    await provider.destroy(location);
    expect((await readdir(location)).sort()).toEqual(['Notes.txt', 'subfolder']);
  });

  it('loses its own unfinished files when opened for writing, not when opened for reading', async () => {
    const location = newLocation();
    const first = await provider.open(location, writable);
    await first.replace('manifest', someBytes(5));
    await first.close();
    await writeFile(join(location, 'manifest.new'), 'half');
    await (await provider.open(location, { create: false, readOnly: true })).close();
    expect((await readdir(location)).sort()).toEqual(['manifest', 'manifest.new']);
    const again = await provider.open(location, writable);
    expect(await readdir(location)).toEqual(['manifest']);
    expect(await again.load('manifest')).toEqual(someBytes(5));
    await again.close();
  });

  it('goes altogether when destroyed, with the lock in it', async () => {
    const location = newLocation();
    await (await provider.open(location, writable)).close();
    await mkdir(join(location, LOCK_FOLDER_NAME));
    await provider.destroy(location);
    expect(await provider.exists(location)).toBe(false);
  });
});

describe('a file in a folder', () => {
  it('whose name is too long for a file system is refused', async () => {
    const location = newLocation();
    const backend = await provider.open(location, writable);
    await expect(backend.open('x'.repeat(300), { create: true })).rejects.toEqual(
      failsWith('INVALID_ARGUMENT'),
    );
    await backend.close();
  });

  it.runIf(process.platform === 'linux')('that finds no space left says so', async () => {
    const location = newLocation();
    const backend = await provider.open(location, writable);
    await symlink('/dev/full', join(location, 'full'));
    const file = await backend.open('full');
    await expect(file.append(someBytes(5))).rejects.toEqual(
      failsWith('QUOTA_EXCEEDED', { file: 'full', systemCode: 'ENOSPC' }),
    );
    await backend.close();
  });

  it('cannot be replaced where a folder has its name, and no half of it stays behind', async () => {
    const location = newLocation();
    const backend = await provider.open(location, writable);
    await mkdir(join(location, 'taken'));
    await expect(backend.replace('taken', someBytes(5))).rejects.toEqual(
      failsWith('STORAGE_IO', { file: 'taken' }),
    );
    expect(await readdir(location)).toEqual(['taken']);
    await backend.close();
  });
});

describe("the file system's errors", () => {
  it('are told apart by whether space is missing', () => {
    const systemError = (code: string) => Object.assign(new Error(`${code}: failed`), { code });
    for (const code of ['ENOSPC', 'EDQUOT'])
      expect(fsError(systemError(code), 'write', {})).toEqual(
        failsWith('QUOTA_EXCEEDED', { systemCode: code }),
      );
    for (const code of ['EACCES', 'EPERM', 'EROFS', 'EIO', 'EMFILE']) {
      const cause = systemError(code);
      const error = fsError(cause, "write 'f'", { file: 'f' });
      expect(error).toEqual(failsWith('STORAGE_IO', { systemCode: code, file: 'f' }));
      expect(error.message).toBe(`cannot write 'f': ${code}: failed`);
      expect(error.cause).toBe(cause);
    }
  });

  it('are transient when the system may do it the next time, but never when a sync has failed', () => {
    const isTransientIn = (syscall: string) => (code: string) =>
      isTransient(fsError(Object.assign(new Error(code), { code, syscall }), 'x', {}));
    const transient = ['EAGAIN', 'EBUSY', 'EMFILE', 'ENFILE', 'EINTR', 'ETIMEDOUT'];
    const permanent = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'EBADF'];
    const all = [...transient, ...permanent];
    for (const call of ['open', 'read', 'write', 'rename', 'unlink', 'ftruncate'])
      expect(all.filter(isTransientIn(call)), call).toEqual(transient);
    for (const call of ['fsync', 'fdatasync']) expect(all.filter(isTransientIn(call)), call).toEqual([]);
    expect(isTransient(fsError(Object.assign(new Error('?'), { code: 'EBUSY' }), 'x', {}))).toBe(false);
  });
});

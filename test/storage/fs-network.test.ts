import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { networkWarning } from '../../src/storage/fs-network.ts';

const EXT4 = 0xef53;
const missing = Object.assign(new Error('no such folder'), { code: 'ENOENT' });

describe.runIf(process.platform === 'linux')('a folder on a network or user-space file system', () => {
  it.each([
    [0x6969, 'NFS'],
    [0x517b, 'SMB'],
    [0xff534d42, 'CIFS'],
    [0xff534d42 | 0, 'CIFS'],
    [0x65735546, 'FUSE'],
    [0x01021997, '9p'],
  ])('of type %i is warned about as %s', async (type, kind) => {
    const warning = await networkWarning('/data/db', async () => ({ type }));
    expect(warning).toContain(`'/data/db'`);
    expect(warning).toContain(`(${kind})`);
  });

  it('is found by the nearest folder above it that is there', async () => {
    const asked: string[] = [];
    const warning = await networkWarning('/mnt/share/new/db', async (path) => {
      asked.push(path);
      if (path !== '/mnt/share') throw missing;
      return { type: 0x6969 };
    });
    expect(warning).toContain('NFS');
    expect(asked).toEqual(['/mnt/share/new/db', '/mnt/share/new', '/mnt/share']);
  });

  it('is not warned about when it is on a disk, or nothing can be known', async () => {
    expect(await networkWarning('/data/db', async () => ({ type: EXT4 }))).toBeUndefined();
    expect(await networkWarning('/data/db', () => Promise.reject(missing))).toBeUndefined();
    expect(await networkWarning('/data/db', () => Promise.reject(new Error('denied')))).toBeUndefined();
    // Whatever this machine has, asking it for real does not fail.
    await networkWarning(join(tmpdir(), 'not', 'there'));
  });
});

import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { LOCK_FOLDER_NAME, TAKEOVER_FOLDER_NAME } from '../../src/storage/fs-folder.ts';
import { FileLocks } from '../../src/storage/lock-file.ts';
import { failsWith } from './helpers.ts';
import { describeLocks } from './lock-contract.ts';

const root = await mkdtemp(join(tmpdir(), 'isovec-lock-'));
let locations = 0;
const newLocation = () => join(root, `db-${locations++}`);

afterAll(() => rm(root, { recursive: true, force: true }));

describeLocks({ name: 'file locks', makeLocks: () => new FileLocks(), newLocation });

const LONG_AGO = new Date(0);

describe('file locks', () => {
  it('leave nothing in the folder when released', async () => {
    const location = newLocation();
    const held = await new FileLocks().acquire(location, { timeoutMs: 5000 });
    expect(await readdir(location)).toEqual([LOCK_FOLDER_NAME]);
    await held.release();
    expect(await readdir(location)).toEqual([]);
  });

  it("pass a dead holder's lock on, to one alone of those who wait", async () => {
    const location = newLocation();
    await mkdir(join(location, LOCK_FOLDER_NAME), { recursive: true });
    await utimes(join(location, LOCK_FOLDER_NAME), LONG_AGO, LONG_AGO);
    let holders = 0;
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        const held = await new FileLocks().acquire(location, { timeoutMs: 60_000 });
        expect(++holders).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        holders--;
        await held.release();
      }),
    );
  });

  it("pass on, too, when somebody died while removing a dead holder's lock", async () => {
    const location = newLocation();
    for (const folder of [LOCK_FOLDER_NAME, TAKEOVER_FOLDER_NAME]) {
      await mkdir(join(location, folder), { recursive: true });
      await utimes(join(location, folder), LONG_AGO, LONG_AGO);
    }
    await (await new FileLocks().acquire(location, { timeoutMs: 60_000 })).release();
    expect(await readdir(location)).toEqual([]);
  });

  it('tell when they are lost', async () => {
    const location = newLocation();
    const onLost = vi.fn();
    const held = await new FileLocks().acquire(location, { timeoutMs: 5000, onLost });
    await rm(join(location, LOCK_FOLDER_NAME), { recursive: true });
    await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), 30_000);
    expect(onLost.mock.calls[0]![0]).toHaveProperty('code', 'ECOMPROMISED');
    await held.release();
  });

  it('refuse a location that is a file', async () => {
    const location = newLocation();
    await writeFile(location, '');
    await expect(new FileLocks().acquire(location, { timeoutMs: 5000 })).rejects.toEqual(
      failsWith('INVALID_ARGUMENT', { location }),
    );
  });
});

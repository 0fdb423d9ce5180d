import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { LOCK_FOLDER_NAME } from '../../src/storage/fs-folder.ts';
import { FileLocks } from '../../src/storage/lock-file.ts';
import { currentOwner, encodeOwner, type Owner, STALE_MS } from '../../src/storage/lock-owner.ts';
import { failsWith } from './helpers.ts';
import { describeLocks } from './lock-contract.ts';

const root = await mkdtemp(join(tmpdir(), 'isovec-lock-'));
let locations = 0;
const newLocation = () => join(root, `db-${locations++}`);

afterAll(() => rm(root, { recursive: true, force: true }));

describeLocks({ name: 'file locks', makeLocks: () => new FileLocks(), newLocation });

const PATIENT = { timeoutMs: 60_000 };
const IMPATIENT = { timeoutMs: 50 };
/** More than the kernel gives out. */
const NO_PROCESS = 2 ** 30;
const isLinux = process.platform === 'linux';

/** A folder whose lock was taken by this owner. */
async function heldBy(owner: Partial<Owner>): Promise<string> {
  const location = newLocation();
  await new FileLocks().acquire(location, PATIENT);
  const [name = ''] = await readdir(join(location, LOCK_FOLDER_NAME));
  const folder = name.split('~')[2];
  const token = `held~7~${folder}~${encodeOwner({ ...currentOwner(), ...owner })}`;
  await rename(join(location, LOCK_FOLDER_NAME, name), join(location, LOCK_FOLDER_NAME, token));
  return location;
}

/** Whether one alone of many who ask gets the lock at a time. */
async function expectOneByOne(location: string): Promise<void> {
  let holders = 0;
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      const held = await new FileLocks().acquire(location, PATIENT);
      expect(++holders).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      holders--;
      await held.release();
    }),
  );
}

async function msTaken(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

describe('file locks', () => {
  it('leave nothing in the folder when released', async () => {
    const location = newLocation();
    const held = await new FileLocks().acquire(location, PATIENT);
    expect(await readdir(location)).toEqual([LOCK_FOLDER_NAME]);
    await held.release();
    expect(await readdir(location)).toEqual([]);
  });

  it('leave their token in place when they are wanted soon again', async () => {
    const location = newLocation();
    await (await new FileLocks().acquire(location, PATIENT)).release({ soonAgain: true });
    expect(await readdir(join(location, LOCK_FOLDER_NAME))).toEqual([expect.stringMatching(/^free~\d+$/)]);
    await (await new FileLocks().acquire(location, PATIENT)).release();
    expect(await readdir(location)).toEqual([]);
  });

  it('are made once by many who find none', async () => {
    for (let round = 0; round < 20; round++) await expectOneByOne(newLocation());
  });

  it('recover from an emptied folder', async () => {
    const location = newLocation();
    await mkdir(join(location, LOCK_FOLDER_NAME), { recursive: true });
    await expectOneByOne(location);
  });

  it('are given in the order in which they were asked for', async () => {
    const location = newLocation();
    const first = await new FileLocks().acquire(location, PATIENT);
    const order: number[] = [];
    const waiting: Promise<void>[] = [];
    for (let asker = 0; asker < 5; asker++) {
      waiting.push(
        new FileLocks().acquire(location, PATIENT).then((held) => {
          order.push(asker);
          return held.release();
        }),
      );
      await vi.waitFor(async () =>
        expect(await readdir(join(location, LOCK_FOLDER_NAME))).toHaveLength(asker + 2),
      );
    }
    await first.release();
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it('do not wait for ever for one who died in line', async () => {
    const location = newLocation();
    const held = await new FileLocks().acquire(location, PATIENT);
    await writeFile(join(location, LOCK_FOLDER_NAME, 'wait~0~dead'), '');
    await held.release();
    await expectOneByOne(location);
    expect(await readdir(location)).toEqual([]);
  });

  it('sweep up what a crash left of making them', async () => {
    const location = newLocation();
    const left = join(location, `${LOCK_FOLDER_NAME}.aside-x`);
    await mkdir(left, { recursive: true });
    await writeFile(join(left, 'free~1'), '');
    await utimes(left, 0, 0);
    await (await new FileLocks().acquire(location, PATIENT)).release();
    expect(await readdir(location)).toEqual([]);
  });

  it('are not made anew, if they must not, where the folder is gone', async () => {
    const location = newLocation();
    const acquiring = new FileLocks().acquire(location, { ...PATIENT, create: false });
    await expect(acquiring).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(readdir(location)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('let whoever opens the folder sweep up after those who died with it open', async () => {
    const location = newLocation();
    await mkdir(location);
    const dead = { ...currentOwner(), processId: NO_PROCESS, threadId: NO_PROCESS };
    await writeFile(join(location, `isovec.open~x~${encodeOwner(dead)}`), '');
    const presence = await new FileLocks().join(location);
    expect(await readdir(location)).toEqual([expect.not.stringContaining('~x~')]);
    await presence.release();
    expect(await readdir(location)).toEqual([]);
  });

  it("pass a dead process's lock on at once, to one alone of those who wait", async () => {
    const location = await heldBy({ processId: NO_PROCESS, threadId: NO_PROCESS });
    expect(await msTaken(() => expectOneByOne(location))).toBeLessThan(STALE_MS);
  });

  it.runIf(isLinux)('pass on at once when another process has the number of the dead one', async () => {
    const location = await heldBy({ processStart: 1, threadStart: 1 });
    await (await new FileLocks().acquire(location, { timeoutMs: 0 })).release();
  });

  it.runIf(isLinux)('pass on soon when the thread has ended and its process lives', async () => {
    const location = await heldBy({ threadId: NO_PROCESS });
    expect(await msTaken(() => expectOneByOne(location))).toBeLessThan(STALE_MS);
  });

  it.runIf(isLinux).concurrent('stay with a living holder that does not renew them', async () => {
    const location = await heldBy({});
    await expect(new FileLocks().acquire(location, { timeoutMs: STALE_MS + 2000 })).rejects.toEqual(
      failsWith('LOCK_TIMEOUT'),
    );
  });

  it.concurrent('of a holder elsewhere pass on when they are no longer renewed, and not before', async () => {
    const location = await heldBy({ place: 'another-machine' });
    const path = join(location, LOCK_FOLDER_NAME);
    const [token = ''] = await readdir(path);
    let isRenewing = true;
    let passedOn = false;
    const waiting = expectOneByOne(location).then(() => {
      passedOn = true;
    });
    const end = performance.now() + STALE_MS + 1000;
    for (let age = 0; isRenewing; age++) {
      // Its clock is years behind: what counts is that the time changes.
      await utimes(join(path, token), age, age);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(passedOn).toBe(false);
      isRenewing = performance.now() < end;
    }
    await waiting;
  });

  it.concurrent('of a copied folder do not bind those who open the copy', async () => {
    const location = newLocation();
    const held = await new FileLocks().acquire(location, PATIENT);
    const copy = newLocation();
    await cp(location, copy, { recursive: true });
    await expect(new FileLocks().acquire(copy, IMPATIENT)).rejects.toEqual(failsWith('LOCK_TIMEOUT'));
    await (await new FileLocks().acquire(copy, PATIENT)).release();
    await expect(new FileLocks().acquire(location, IMPATIENT)).rejects.toEqual(failsWith('LOCK_TIMEOUT'));
    await held.release();
  });

  it('tell when they are lost', async () => {
    const location = newLocation();
    const onLost = vi.fn();
    const held = await new FileLocks().acquire(location, { ...PATIENT, onLost });
    await rm(join(location, LOCK_FOLDER_NAME), { recursive: true });
    await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), 30_000);
    expect(onLost.mock.calls[0]![0].message).toContain(join(location, LOCK_FOLDER_NAME));
    await held.release();
  });

  it('refuse a location that is a file', async () => {
    const location = newLocation();
    await writeFile(location, '');
    await expect(new FileLocks().acquire(location, PATIENT)).rejects.toEqual(
      failsWith('INVALID_ARGUMENT', { location }),
    );
  });
});

const children = new Set<ChildProcess>();

/** A process that takes the lock again and again: see lock-contender.ts. */
function startContender(location: string, journal: string, holdMs: number): ChildProcess {
  const script = fileURLToPath(new URL('lock-contender.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, location, journal, String(holdMs)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

function kill(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** Checks that nobody entered before the last holder had left, or was dead.
 *  @returns how often somebody entered, and how often after a holder that was killed */
function checkJournal(text: string, killed: ReadonlySet<number>): { entered: number; afterKilled: number } {
  const counts = { entered: 0, afterKilled: 0 };
  let holder: number | undefined;
  const lines = text.trimEnd().split('\n');
  for (const [at, line] of lines.entries()) {
    const [what, pid] = [line.split(' ')[0], Number(line.split(' ')[1])];
    if (what === 'leave') {
      expect(pid, `line ${at + 1} of ${lines.length}`).toBe(holder);
      holder = undefined;
      continue;
    }
    if (holder !== undefined) {
      expect(killed, `line ${at + 1}: ${pid} entered before ${holder} had left`).toContain(holder);
      counts.afterKilled++;
    }
    counts.entered++;
    holder = pid;
  }
  return counts;
}

describe('file locks among processes, some of which are killed', () => {
  const KILLS = 12;

  it('are never held by two, and pass on from the killed within moments', async () => {
    const location = newLocation();
    const journal = join(root, 'journal');
    const killed = new Set<number>();
    const start = () => startContender(location, journal, 30);
    const contenders = [start(), start(), start()];
    for (let round = 0; round < KILLS; round++) {
      const before = (await readFile(journal, 'utf8').catch(() => '')).length;
      await vi.waitFor(async () => {
        const lines = (await readFile(journal, 'utf8')).slice(before).split('\n');
        expect(lines.length).toBeGreaterThan(3);
      }, 60_000);
      // Whoever holds it now, as a rule.
      const holder = Number((await readFile(journal, 'utf8')).trimEnd().split(' ').at(-1));
      const at = Math.max(
        0,
        contenders.findIndex(({ pid }) => pid === holder),
      );
      killed.add(contenders[at]!.pid!);
      await kill(contenders[at]!);
      contenders[at] = start();
    }
    await Promise.all(contenders.map(kill));
    for (const { pid } of contenders) killed.add(pid!);
    const { entered, afterKilled } = checkJournal(await readFile(journal, 'utf8'), killed);
    expect(entered).toBeGreaterThan(KILLS);
    expect(afterKilled).toBeGreaterThan(0);
  });
});

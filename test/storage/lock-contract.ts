import { describe, expect, it } from 'vitest';
import type { LockProvider } from '../../src/storage/lock.ts';
import { failsWith } from './helpers.ts';

export interface LocksUnderTest {
  name: string;
  makeLocks: () => LockProvider;
  /** A location that no other test uses. */
  newLocation: () => string;
}

/** Long enough that no test fails by it, on any machine. */
const PATIENT = { timeoutMs: 60_000 };
const IMPATIENT = { timeoutMs: 30 };

/** What every kind of lock upholds. */
export function describeLocks({ name, makeLocks, newLocation }: LocksUnderTest): void {
  describe(name, () => {
    it('are held by one at a time, in this thread too', async () => {
      const location = newLocation();
      const locks = makeLocks();
      let holders = 0;
      let total = 0;
      const work = async () => {
        const held = await locks.acquire(location, PATIENT);
        expect(++holders).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        holders--;
        total++;
        await held.release();
      };
      await Promise.all(Array.from({ length: 8 }, work));
      expect(total).toBe(8);
    });

    it('are shared by all providers', async () => {
      const location = newLocation();
      const held = await makeLocks().acquire(location, PATIENT);
      await expect(makeLocks().acquire(location, IMPATIENT)).rejects.toEqual(failsWith('LOCK_TIMEOUT'));
      await held.release();
    });

    it('are apart for different locations', async () => {
      const locks = makeLocks();
      const one = await locks.acquire(newLocation(), PATIENT);
      const other = await locks.acquire(newLocation(), IMPATIENT);
      await one.release();
      await other.release();
    });

    it('time out, naming the location, and leave the holder alone', async () => {
      const location = newLocation();
      const locks = makeLocks();
      const held = await locks.acquire(location, PATIENT);
      const timedOut = locks.acquire(location, IMPATIENT);
      await expect(timedOut).rejects.toEqual(failsWith('LOCK_TIMEOUT', { location, timeoutMs: 30 }));
      await expect(timedOut).rejects.toThrow(location);
      await expect(locks.acquire(location, { timeoutMs: 0 })).rejects.toEqual(failsWith('LOCK_TIMEOUT'));
      await held.release();
      await (await locks.acquire(location, { timeoutMs: 5000 })).release();
    });

    it('are taken at once when free, even with no time to wait', async () => {
      await (await makeLocks().acquire(newLocation(), IMPATIENT)).release();
      await (await makeLocks().acquire(newLocation(), { timeoutMs: Number.POSITIVE_INFINITY })).release();
    });

    it('are no longer waited for when the signal says so', async () => {
      const location = newLocation();
      const locks = makeLocks();
      const held = await locks.acquire(location, PATIENT);
      const controller = new AbortController();
      const waiting = locks.acquire(location, { ...PATIENT, signal: controller.signal });
      const reason = new Error('enough');
      controller.abort(reason);
      await expect(waiting).rejects.toEqual(failsWith('ABORTED', { location }));
      await expect(waiting).rejects.toHaveProperty('cause', reason);
      await held.release();
      const aborted = { ...PATIENT, signal: AbortSignal.abort(reason) };
      await expect(locks.acquire(location, aborted)).rejects.toEqual(failsWith('ABORTED'));
      await (await locks.acquire(location, PATIENT)).release();
    });

    it('are released once: releasing again takes nothing from the next holder', async () => {
      const location = newLocation();
      const locks = makeLocks();
      const first = await locks.acquire(location, PATIENT);
      await first.release();
      const second = await locks.acquire(location, PATIENT);
      await first.release();
      await expect(locks.acquire(location, IMPATIENT)).rejects.toEqual(failsWith('LOCK_TIMEOUT'));
      await second.release();
    });

    it('are not affected by a signal once they are held', async () => {
      const location = newLocation();
      const locks = makeLocks();
      const controller = new AbortController();
      const lost: Error[] = [];
      const held = await locks.acquire(location, {
        ...PATIENT,
        signal: controller.signal,
        onLost: (reason) => lost.push(reason),
      });
      controller.abort();
      await expect(locks.acquire(location, IMPATIENT)).rejects.toEqual(failsWith('LOCK_TIMEOUT'));
      await held.release();
      expect(lost).toEqual([]);
    });
  });
}

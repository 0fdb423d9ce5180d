import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ATTEMPTS_MAX, DELAY_MS_MAX, DELAY_MS_MIN, retrying } from '../../src/storage/retrying.ts';
import { describeStorage } from './contract.ts';
import { type Fault, FlakyProvider } from './flaky-provider.ts';
import { failsWith, someBytes } from './helpers.ts';
import { KeepingProvider } from './keeping-provider.ts';

const FAULTS = ['none', 'transient', 'transient, done', 'permanent'] as const;
const WRITING = { create: true, readOnly: false };
const pause = async () => {};
let locations = 0;

/** The faults in turn, then none. */
function inTurn(faults: readonly Fault[]): () => Fault {
  const left = [...faults];
  return () => left.shift() ?? 'none';
}

/** One attempt in three: few enough that 300 at once all succeed in time. */
function endlessFaults(): () => Fault {
  let count = 0;
  return () => (['transient', 'none', 'none', 'transient, done', 'none', 'none'] as const)[count++ % 6]!;
}

describe('with one attempt in three failing for a moment,', () => {
  describeStorage({
    kind: 'memory',
    capabilities: { persistent: false, durableFlush: false, sharedReads: true, sharedWrites: true },
    makeProvider: () => retrying(new FlakyProvider(new KeepingProvider(), endlessFaults()), { pause }),
    newLocation: () => `flaky-${locations++}`,
    badLocations: [],
  });
});

describe('retrying', () => {
  it('goes on until it succeeds, meets a permanent error or has tried often enough, at bounded pauses', async () => {
    const faults = fc.array(fc.constantFrom(...FAULTS), { maxLength: 2 * ATTEMPTS_MAX });
    await fc.assert(
      fc.asyncProperty(faults, fc.double({ min: 0, max: 1, noNaN: true }), async (each, random) => {
        const delays: number[] = [];
        const told: number[] = [];
        let next: () => Fault = () => 'none';
        const flaky = new FlakyProvider(new KeepingProvider(), () => next());
        const provider = retrying(flaky, {
          pause: async (delayMs) => void delays.push(delayMs),
          random: () => random,
          onRetry: (_, attempt) => told.push(attempt),
        });
        const backend = await provider.open('place', WRITING);
        const file = await backend.open('f', { create: true });
        flaky.attempts = 0;
        next = inTurn(each);

        const content = someBytes(100);
        const outcome = await file.write(50, content).catch((thrown) => thrown);

        const firstEnd = each.findIndex((fault) => fault === 'none' || fault === 'permanent');
        const attempts = Math.min(firstEnd === -1 ? each.length + 1 : firstEnd + 1, ATTEMPTS_MAX);
        const last = each[attempts - 1] ?? 'none';
        expect(flaky.attempts).toBe(attempts);
        expect(told).toEqual(Array.from({ length: attempts - 1 }, (_, index) => index + 1));
        for (const [index, delayMs] of delays.entries()) {
          const longest = Math.min(DELAY_MS_MIN * 2 ** index, DELAY_MS_MAX);
          expect(delayMs).toBeGreaterThanOrEqual(longest / 2);
          expect(delayMs).toBeLessThanOrEqual(longest);
        }
        expect(delays.length).toBe(attempts - 1);
        if (last !== 'none') {
          expect(outcome).toEqual(failsWith('STORAGE_IO'));
          return;
        }
        next = () => 'none';
        expect(await file.size()).toBe(150);
        expect(await file.read(50, 100)).toEqual(content);
      }),
    );
  });

  it('ends when the storage is closed, with the error that it had', async () => {
    let closing: Promise<void> | undefined;
    const flaky = new FlakyProvider(new KeepingProvider(), () =>
      flaky.attempts === 1 ? 'none' : 'transient',
    );
    const provider = retrying(flaky, {
      pause: async () => {
        closing = backend.close();
      },
    });
    const backend = await provider.open('place', WRITING);
    await expect(backend.list()).rejects.toEqual(failsWith('STORAGE_IO', { transient: true }));
    expect(flaky.attempts).toBe(2);
    await closing;
  });

  it('wakes from its pause when the storage is closed', async () => {
    let retries = 0;
    const flaky = new FlakyProvider(new KeepingProvider(), () =>
      flaky.attempts === 1 ? 'none' : 'transient',
    );
    const provider = retrying(flaky, { random: () => 1, onRetry: () => retries++ });
    const backend = await provider.open('place', WRITING);
    const listed = backend.list();
    const refused = expect(listed).rejects.toEqual(failsWith('STORAGE_IO'));
    await expect.poll(() => retries).toBeGreaterThan(0);
    await backend.close();
    await refused;
    expect(retries).toBeLessThan(ATTEMPTS_MAX - 1);
  });

  it('of an opening ends with ABORTED when its signal says so', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const flaky = new FlakyProvider(new KeepingProvider(), () => 'transient');
    const provider = retrying(flaky, { signal, pause: async () => controller.abort() });
    await expect(provider.open('place', WRITING)).rejects.toEqual(failsWith('ABORTED'));
    expect(flaky.attempts).toBe(1);
  });

  it('of a database that is open does not end with the signal of its opening', async () => {
    const controller = new AbortController();
    const next = inTurn(['none', 'transient', 'transient']);
    const provider = retrying(new FlakyProvider(new KeepingProvider(), next), {
      signal: controller.signal,
      pause,
    });
    const backend = await provider.open('place', WRITING);
    controller.abort();
    expect(await backend.list()).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { MemoryProvider } from '../../src/storage/memory.ts';
import { describeStorage } from './contract.ts';
import { failsWith, someBytes } from './helpers.ts';
import { KeepingProvider } from './keeping-provider.ts';

let locations = 0;

describeStorage({
  kind: 'memory',
  capabilities: { persistent: false, durableFlush: false, sharedReads: true, sharedWrites: true },
  makeProvider: () => new KeepingProvider(),
  newLocation: () => `place-${locations++}`,
  badLocations: [],
});

describe('the memory provider', () => {
  it('opens a fresh, private place each time', async () => {
    const provider = new MemoryProvider();
    const one = await provider.open('label', { create: true, readOnly: false });
    const other = await provider.open('label', { create: true, readOnly: false });
    await one.replace('whole', someBytes(5));
    expect(await other.load('whole')).toBeUndefined();
    expect(await provider.exists('label')).toBe(false);
    await provider.destroy('label');
    expect(await one.load('whole')).toEqual(someBytes(5));
  });

  it('finds nothing to open where nothing may be made', async () => {
    const provider = new MemoryProvider();
    for (const options of [
      { create: false, readOnly: false },
      { create: true, readOnly: true },
    ])
      await expect(provider.open('label', options)).rejects.toEqual(failsWith('NOT_FOUND'));
  });
});

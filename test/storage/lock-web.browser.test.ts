import { describe, expect, it, vi } from 'vitest';
import { WebLocks } from '../../src/storage/lock-web.ts';
import { failsWith } from './helpers.ts';
import { describeLocks } from './lock-contract.ts';

const run = crypto.randomUUID();
let locations = 0;
const newLocation = () => `${run}-${locations++}`;

describeLocks({ name: 'web locks', makeLocks: () => new WebLocks('indexeddb'), newLocation });

describe('web locks', () => {
  it('tell when they are stolen', async () => {
    const location = newLocation();
    const onLost = vi.fn();
    const held = await new WebLocks('opfs').acquire(location, { timeoutMs: 5000, onLost });
    await navigator.locks.request(`isovec:opfs:${location}`, { steal: true }, () => {});
    await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce());
    expect(onLost.mock.calls[0]![0].name).toBe('AbortError');
    await held.release();
  });

  it('are apart for different kinds of storage', async () => {
    const location = newLocation();
    const one = await new WebLocks('opfs').acquire(location, { timeoutMs: 5000 });
    const other = await new WebLocks('indexeddb').acquire(location, { timeoutMs: 5000 });
    await one.release();
    await other.release();
  });

  it('say so where the browser has none', async () => {
    vi.stubGlobal('navigator', {});
    await expect(new WebLocks('opfs').acquire('x', { timeoutMs: 10 })).rejects.toEqual(
      failsWith('UNSUPPORTED'),
    );
    vi.unstubAllGlobals();
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { cdp } from 'vitest/browser';
import type { StorageProvider } from '../../src/storage/storage.ts';
import { expectBytes, failsWith, someBytes } from './helpers.ts';
import { remoteProvider } from './remote.ts';

const MEGABYTE = 1024 * 1024;
const worker = new Worker(new URL('./opfs.worker.ts', import.meta.url), { type: 'module' });

/** @param quotaSize undefined: as usual */
async function limitQuota(quotaSize?: number): Promise<void> {
  const { origin } = location;
  await cdp().send('Storage.overrideQuotaForOrigin', {
    origin,
    ...(quotaSize !== undefined && { quotaSize }),
  });
}

afterAll(async () => {
  await limitQuota();
  worker.terminate();
});

describe('an origin without space', () => {
  // Not IndexedDB: Chromium enforces an overridden quota there only now and then.
  const providers: StorageProvider[] = [remoteProvider(worker, 'opfs')];

  for (const provider of providers)
    it(`is reported by ${provider.kind} as QUOTA_EXCEEDED, and what was flushed stays`, async () => {
      const place = crypto.randomUUID();
      await (await provider.open(place, { create: true, readOnly: false })).close();
      const { usage = 0 } = await navigator.storage.estimate();
      await limitQuota(usage + 2 * MEGABYTE);
      let backend = await provider.open(place, { create: true, readOnly: false });
      let file = await backend.open('f', { create: true });
      await file.append(someBytes(1000));
      await file.flush();
      const fill = async () => {
        for (let piece = 0; piece < 100; piece++) {
          await file.append(someBytes(MEGABYTE, piece));
          await file.flush();
        }
      };
      await expect(fill()).rejects.toEqual(failsWith('QUOTA_EXCEEDED', { location: place }));
      expectBytes(await file.read(0, 1000), someBytes(1000));
      await backend.close();
      backend = await provider.open(place, { create: true, readOnly: false });
      file = await backend.open('f');
      expectBytes(await file.read(0, 1000), someBytes(1000));
      await limitQuota();
      await file.truncate(1000);
      await file.append(someBytes(500, 2));
      await file.flush();
      expectBytes(await file.read(1000, 500), someBytes(500, 2));
      await backend.close();
      await provider.destroy(place);
    });
});

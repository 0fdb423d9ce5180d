// The built package: what is loaded on demand is found by the worker, too.
import { expect, it } from 'vitest';
import { destroy, open } from '../../../dist/index.js';

/** Changes one byte of a file of an OPFS database that is closed. */
async function flip(location: string, file: string, offset: number): Promise<void> {
  const origin = await navigator.storage.getDirectory();
  const place = await (await origin.getDirectoryHandle('isovec')).getDirectoryHandle(location);
  const handle = await place.getFileHandle(file);
  const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
  bytes[offset]! ^= 1;
  const writable = await handle.createWritable();
  await writable.write(bytes);
  await writable.close();
}

it('salvages and repairs in the worker of a page', async () => {
  const location = `salvage-${Date.now()}`;
  const options = { storage: 'opfs' } as const;
  const database = await open(location, options);
  const collection = await database.collection('c', { dimensions: 2 });
  await collection.insert(
    Array.from({ length: 20 }, (_, index) => ({ id: `id${index}`, vector: [index, 1] })),
  );
  await database.close();
  // The vector of row 7: a header of 32 bytes, and 12 for each row.
  await flip(location, 'data-1-vectors-0', 32 + 7 * 12);
  await expect(open(location, options)).rejects.toMatchObject({
    code: 'CORRUPTION',
    details: { file: 'data-1-vectors-0', row: 7 },
  });
  const salvaged = await open(location, { ...options, recovery: 'salvage' });
  const warnings: string[] = [];
  salvaged.on('warning', ({ message }) => warnings.push(message));
  await expect((await salvaged.collection('c')).insert({ vector: [1, 1] })).rejects.toMatchObject({
    code: 'READ_ONLY',
  });
  const report = await salvaged.repair();
  expect(report).toMatchObject({ recordsRecovered: 19, recordsLost: [{ collection: 'c', ids: ['id7'] }] });
  expect(warnings.join()).toContain('data-1-vectors-0');
  expect(await salvaged.verify()).toMatchObject({ ok: true, problems: [] });
  await (await salvaged.collection('c')).insert({ id: 'id7', vector: [7, 1] });
  await salvaged.close();
  const again = await open(location, options);
  expect(await (await again.collection('c')).count()).toBe(20);
  await again.close();
  await destroy(location, options);
});

import { expect, it } from 'vitest';
import { destroy, open } from '../../src/index.node.ts';

it('gives every opening of memory storage a private place, which vanishes when closed', async () => {
  const first = await open('label', { storage: 'memory' });
  const second = await open('label', { storage: 'memory' });
  await (await first.collection('c', { dimensions: 1 })).insert({ id: 'a', vector: [1] });
  expect(await second.collections()).toEqual([]);
  await first.close();
  await second.close();
  expect(await (await open('label', { storage: 'memory' })).collections()).toEqual([]);
  await destroy('label', { storage: 'memory' });
});

import { BREAD, expect, TIDES, test } from './demo-page.ts';

test('embedding can be paused, survives a reload, and goes on where it was', async ({ demo }) => {
  await demo.visit({ firstAddresses: 1 });
  await expect.poll(() => demo.storedOfFirst()).toBeGreaterThan(0);
  await demo.progress.getByRole('button', { name: 'Pause' }).click();
  await expect(demo.progress).toContainText('Paused at');
  const paused = await demo.storedOfFirst();
  await demo.ask('a question while nothing is embedded');
  await expect(demo.hits.first()).toContainText('2021');
  expect(await demo.storedOfFirst()).toBe(paused);

  await demo.progress.getByRole('button', { name: 'Resume' }).click();
  await expect.poll(() => demo.storedOfFirst()).toBeGreaterThan(paused);
  await demo.page.reload();
  await expect(demo.progress).toContainText('Embedded');
  expect(await demo.storedOfFirst()).toBeGreaterThan(paused);
});

test('cancelling drops what is unfinished and keeps what is complete', async ({ demo }) => {
  await demo.visit();
  await demo.choose(BREAD);
  await demo.expectIndexed(1);
  await demo.page.getByRole('button', { name: 'Add 20 more' }).click();
  await expect(demo.documents).toHaveCount(21);
  await demo.progress.getByRole('button', { name: 'Cancel' }).click();
  await demo.expectIndexed(1);
  await expect(demo.usage).toContainText('1 passages stored');
  await demo.ask('loaf');
  await expect(demo.hits).toHaveCount(1);
});

test('a removed document is found no more, nor after a reload', async ({ demo }) => {
  await demo.visit();
  await demo.choose(BREAD, TIDES);
  await demo.expectIndexed(2);
  await demo.ask('the sea');
  await expect(demo.hits).toHaveCount(2);
  await demo.page.getByRole('button', { name: 'Remove tides.md' }).click();
  await expect(demo.hits).toHaveCount(1);
  await demo.page.reload();
  await demo.expectIndexed(1);
  await demo.expectFirstHit(BREAD.name);
});

test('clearing removes everything, once confirmed', async ({ demo }) => {
  await demo.visit();
  await demo.choose(BREAD);
  await demo.expectIndexed(1);
  const clear = demo.page.getByRole('button', { name: 'Clear everything' });
  await clear.first().click();
  await demo.page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click();
  await expect(demo.documents).toHaveCount(1);
  await clear.first().click();
  await demo.page.getByRole('dialog').getByRole('button', { name: 'Clear everything' }).click();
  await expect(demo.documents).toHaveCount(0);
  await expect(demo.usage).toContainText('0 passages stored');
});

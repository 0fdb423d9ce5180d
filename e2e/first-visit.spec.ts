import { expect, test } from './demo-page.ts';

test('a first visit answers while it still embeds, with speaker, year, party, score and times', async ({
  demo,
}) => {
  await demo.visit({ firstAddresses: 1 });
  await demo.question.fill('vaccines against the virus');
  const hit = demo.hits.first();
  await expect(hit).toContainText('Joseph R. Biden');
  await expect(demo.progress).toBeVisible();
  await expect(demo.progress.getByRole('progressbar')).toBeVisible();

  await expect(hit).toContainText('2021');
  await expect(hit).toContainText('Democratic');
  await expect(hit).toContainText(/score 0\.\d{3}/);
  await expect(demo.timings).toHaveText(/passages?, embedded in [\d.,]+ ms, found in [\d.,]+ ms/);
  await expect(demo.page.getByRole('list', { name: 'Status' })).toContainText(/\d (?:k|M)B in OPFS/);
});

test('results come as one types, and are those of what was typed last', async ({ demo }) => {
  await demo.visit({ firstAddresses: 0 });
  await demo.choose(
    { name: 'bread.txt', content: 'Knead the dough and bake the loaf in a hot oven.' },
    { name: 'tides.md', content: 'The gravity of the moon moves the ocean twice a day.' },
  );
  await demo.expectIndexed(2);
  await demo.question.pressSequentially('baking bread', { delay: 20 });
  await demo.expectFirstHit('bread.txt');
  await demo.question.fill('');
  await demo.question.pressSequentially('the sea and the moon', { delay: 20 });
  await demo.expectFirstHit('tides.md');
  await expect(demo.page).toHaveURL(/q=the\+sea\+and\+the\+moon/);
  await demo.question.fill('');
  await expect(demo.hits).toHaveCount(0);
});

test('more addresses come when asked for, older ones next', async ({ demo }) => {
  await demo.visit({ firstAddresses: 1 });
  await demo.progress.getByRole('button', { name: 'Pause' }).click();
  await demo.page.getByRole('button', { name: 'Add 20 more' }).click();
  await expect(demo.documents).toHaveCount(21);
  await expect(demo.documents.last()).toContainText('2001');
  await demo.progress.getByRole('button', { name: 'Cancel' }).click();
  await expect(demo.documents).toHaveCount(0);
});

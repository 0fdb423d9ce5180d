import AxeBuilder from '@axe-core/playwright';
import { BREAD, expect, TIDES, test } from './demo-page.ts';

for (const colorScheme of ['light', 'dark'] as const)
  test(`axe finds nothing to say against the page in its ${colorScheme} colours`, async ({ demo, page }) => {
    await page.emulateMedia({ colorScheme });
    await demo.visit({ firstAddresses: 1 });
    await demo.choose(BREAD, { name: 'nothing.txt', content: '' });
    await demo.ask('the virus');
    await expect(demo.hits.first()).toBeVisible();
    await expect(demo.progress).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual(
      [],
    );
  });

test('everything can be done by keyboard alone', async ({ demo, page }) => {
  await demo.visit();
  await demo.choose(BREAD, TIDES);
  await demo.expectIndexed(2);

  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the search box' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(demo.question).toBeFocused();
  await page.keyboard.type('the sea');
  await demo.expectFirstHit(TIDES.name);

  const remove = page.getByRole('button', { name: 'Remove bread.txt' });
  await tabTo(page, remove);
  await page.keyboard.press('Enter');
  await expect(demo.documents).toHaveCount(1);
  // The focus moves on, and is not lost.
  await expect(page.getByRole('button', { name: 'Remove tides.md' })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Clear everything' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Keep it' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('nothing scrolls sideways at the width of a small phone', async ({ demo, page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await demo.visit({ firstAddresses: 1 });
  await demo.choose({ name: `${'a-very-long-name-'.repeat(8)}.txt`, content: BREAD.content });
  await demo.ask('the virus');
  await expect(demo.hits.first()).toBeVisible();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await demo.page.getByRole('link', { name: 'Library' }).click();
  await expect(page.getByRole('heading', { name: 'Library' })).toBeInViewport();
});

async function tabTo(
  page: import('@playwright/test').Page,
  target: import('@playwright/test').Locator,
): Promise<void> {
  const TABS_MAX = 40;
  for (let tabs = 0; tabs < TABS_MAX; tabs++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${TABS_MAX} tabs did not lead to it`);
}

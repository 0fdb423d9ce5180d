/** A browser process killed while it stores, and started again on the same profile. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { type BrowserProcess, startBrowser } from '../scripts/browser-process.ts';
import { BREAD, DemoPage, expect, type OwnFile, test } from './demo-page.ts';

const PARAGRAPHS = 80;
/** Of as many passages as paragraphs, and found only when the last one is in. */
const LONG: OwnFile = {
  name: 'long.txt',
  content: [
    ...Array.from(
      { length: PARAGRAPHS - 1 },
      (_, index) => `Line ${index}: ${'ships sail north '.repeat(37)}.`,
    ),
    `${BREAD.content}`,
  ].join('\n\n'),
};

test('what was stored before the browser was killed is there afterwards, and is not embedded again', async ({
  baseURL,
}) => {
  const profile = await mkdtemp(join(tmpdir(), 'isovec-profile-'));
  try {
    const before = await launch(profile);
    await before.demo.visit({ origin: baseURL! });
    await before.demo.choose(LONG);
    await expect.poll(() => before.demo.storedOfFirst(), { intervals: [50] }).toBeGreaterThanOrEqual(8);
    const acknowledged = await before.demo.storedOfFirst();
    await before.process.kill();

    const after = await launch(profile);
    await after.demo.page.goto(`${baseURL}/`);
    await expect(after.demo.documents).toHaveCount(1);
    const found = await after.demo.storedOfFirst();
    expect(found).toBeGreaterThanOrEqual(acknowledged);
    expect(found).toBeLessThan(PARAGRAPHS);
    await after.demo.expectIndexed(1);
    await after.demo.expectEmbedded((await after.demo.storedOfFirst()) - found);
    await after.demo.ask('how to bake');
    await expect(after.demo.hits.first()).toContainText(BREAD.content.toString());
    await after.process.kill();
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});

async function launch(profile: string): Promise<{ process: BrowserProcess; demo: DemoPage }> {
  const process = await startBrowser(profile);
  const browser = await chromium.connectOverCDP(process.debuggingUrl);
  const context = browser.contexts()[0]!;
  return { process, demo: new DemoPage(context.pages()[0] ?? (await context.newPage())) };
}

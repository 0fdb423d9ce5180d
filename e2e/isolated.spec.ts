/** Building graphs with several threads, which takes a page that is cross-origin isolated. */
import { expect, type Page, test } from '@playwright/test';
import { CONTENT_SECURITY_POLICY } from '../demo/build/security.ts';
import type { Builder } from './isolated/page.ts';
import { type ServedPage, servePage } from './served.ts';

declare const builder: Builder;

const POLICY = { 'content-security-policy': CONTENT_SECURITY_POLICY };
const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const HELPER = /browser-helper/;

async function build(page: Page, { url }: ServedPage) {
  await page.goto(url);
  return page.evaluate(() => builder.build('threads'));
}

test('an isolated page builds its graphs with helpers, under a strict content security policy', async ({
  page,
}) => {
  const served = await servePage('isolated', { ...POLICY, ...ISOLATION });
  const { isolated, warnings, found } = await build(page, served);
  served.close();
  expect({ isolated, warnings }).toEqual({ isolated: true, warnings: [] });
  expect(found).toBeGreaterThan(0.95);
  expect(served.requested.filter((path) => HELPER.test(path))).toHaveLength(1);
  expect(served.requested.some((path) => /isovec-threads.*\.wasm/.test(path))).toBe(true);
});

test('an isolated page whose helpers cannot be loaded says so, and builds without', async ({ page }) => {
  const served = await servePage('isolated', { ...POLICY, ...ISOLATION }, HELPER);
  const { warnings, found } = await build(page, served);
  served.close();
  expect(warnings).toEqual([expect.stringContaining('built without')]);
  expect(found).toBeGreaterThan(0.95);
});

test('a page that is not isolated asks for nothing of all that', async ({ page }) => {
  const served = await servePage('isolated', POLICY);
  const { isolated, warnings, found } = await build(page, served);
  served.close();
  expect({ isolated, warnings }).toEqual({ isolated: false, warnings: [] });
  expect(found).toBeGreaterThan(0.95);
  expect(served.requested.filter((path) => /threads|helper/.test(path))).toEqual([]);
});

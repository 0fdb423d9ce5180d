/** What Chromium keeps IndexedDB in is damaged between two of its lives: never is a database silently empty. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, type Page, test } from '@playwright/test';
import { type BrowserProcess, startBrowser } from '../scripts/browser-process.ts';
import { type ServedPage, servePage } from './served.ts';
import type { TabApi } from './tabs/page.ts';

declare const tab: TabApi;

const OPTIONS = { storage: 'indexeddb' } as const;

let served: ServedPage;
let profile: string;
let browser: BrowserProcess | undefined;

test.beforeAll(async () => {
  served = await servePage('tabs');
});

test.beforeEach(async () => {
  profile = await mkdtemp(join(tmpdir(), 'isovec-profile-'));
});

test.afterEach(async () => {
  await browser?.kill();
  await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

test.afterAll(() => served.close());

async function launch(): Promise<Page> {
  browser = await startBrowser(profile);
  const context = (await chromium.connectOverCDP(browser.debuggingUrl)).contexts()[0]!;
  const page = await context.newPage();
  await page.goto(served.url);
  return page;
}

function filesOf(folder: string, ending: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name));
}

function flipMiddle(file: string): void {
  const bytes = readFileSync(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = bytes[middle]! ^ 0xff;
  writeFileSync(file, bytes);
}

const MANIFEST = /leveldb.MANIFEST-/;
const LOG = /leveldb.\d+\.log$/;

/** Where Chromium has noticed, it says that it has removed something; else only the page's own trace is left. */
const NOTICED = [['CORRUPTION', 'NOT_FOUND']];
const TRACED = [['NOT_FOUND']];
const CASES = [
  { damage: 'an emptied manifest', which: MANIFEST, apply: truncateSync, outcomes: NOTICED },
  { damage: 'a changed log', which: LOG, apply: flipMiddle, outcomes: NOTICED },
  // Depends on what else it finds.
  {
    damage: 'a missing manifest',
    which: MANIFEST,
    apply: rmSync,
    outcomes: [...TRACED, ['failed: STORAGE_IO']],
  },
  { damage: 'an emptied log', which: LOG, apply: truncateSync, outcomes: TRACED },
  { damage: 'a missing log', which: LOG, apply: rmSync, outcomes: TRACED },
];

for (const { damage, which, apply, outcomes } of CASES)
  test(`an IndexedDB with ${damage} is told from a new one`, async () => {
    const before = await launch();
    await before.evaluate((options) => tab.open('damaged', options), OPTIONS);
    await before.evaluate(() => tab.setCounter());
    // Chromium writes localStorage some seconds later.
    const isTraced = () =>
      filesOf(join(profile, 'Default', 'Local Storage'), LOG).some((file) =>
        readFileSync(file).includes('isovec:indexeddb:damaged'),
      );
    await expect.poll(isTraced, { timeout: 60_000 }).toBe(true);
    await browser!.kill();
    const files = filesOf(join(profile, 'Default', 'IndexedDB'), which);
    expect(files).not.toEqual([]);
    for (const file of files) apply(file);
    const after = await launch();
    const heard = await after.evaluate((options) => tab.openDamaged('damaged', options), OPTIONS);
    // Chromium may have to be asked again until it has removed what it cannot read.
    expect(outcomes).toContainEqual(heard.filter((code) => code !== 'STORAGE_IO').sort());
  });

/** Several tabs of a real Chromium that work in one database, while the one that writes goes away in every way. */
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { Matrix } from '../test/matrix.ts';
import { type ServedPage, servePage } from './served.ts';
import type { TabApi } from './tabs/page.ts';

declare const tab: TabApi;

const STORAGES = ['opfs', 'indexeddb'] as const;
type Storage = (typeof STORAGES)[number];

const matrix = new Matrix('tabs');
let served: ServedPage;

test.beforeAll(async () => {
  served = await servePage('tabs');
});

test.afterAll(() => {
  matrix.write();
  served.close();
});

async function openTabs(context: BrowserContext, storage: Storage, count: number): Promise<Page[]> {
  const pages = await Promise.all(
    Array.from({ length: count }, async () => {
      const page = await context.newPage();
      await page.goto(served.url);
      return page;
    }),
  );
  await Promise.all(
    pages.map((page) => page.evaluate((kind) => tab.open('shared', { storage: kind }), storage)),
  );
  return pages;
}

async function rolesOf(pages: Page[]): Promise<string[]> {
  return (await Promise.all(pages.map((page) => page.evaluate(() => tab.role())))).sort();
}

/** Waits until one of them writes. */
async function byRole(pages: Page[]): Promise<{ writer: Page; followers: Page[] }> {
  await expect.poll(() => rolesOf(pages)).toEqual([...Array(pages.length - 1).fill('follower'), 'writer']);
  const followers: Page[] = [];
  let writer = pages[0]!;
  for (const page of pages)
    if ((await page.evaluate(() => tab.role())) === 'writer') writer = page;
    else followers.push(page);
  return { writer, followers };
}

/** @returns the longest that any call took */
async function checkHistory(pages: Page[]): Promise<number> {
  const ends = await Promise.all(pages.map((page) => page.evaluate(() => tab.end())));
  for (const page of pages) {
    const { ids, count } = await page.evaluate(() => tab.found());
    const found = new Set(ids);
    expect(found.size).toBe(ids.length);
    for (const { acknowledged } of ends) expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    expect(count).toBe(ends.reduce((sum, { increments }) => sum + increments, 0));
  }
  return Math.max(...ends.map(({ longestWaitMs }) => longestWaitMs));
}

const FATES: Record<string, (writer: Page, context: BrowserContext) => Promise<unknown>> = {
  'is closed': (writer) => writer.close(),
  'closes its database': (writer) => writer.evaluate(() => tab.close()),
  crashes: async (writer, context) => {
    const session = await context.newCDPSession(writer);
    const crashed = new Promise((resolve) => writer.once('crash', resolve));
    session.send('Page.crash').catch(() => {});
    await crashed;
  },
  'is reloaded': async (writer) => {
    await writer.reload();
    await writer.evaluate(() => tab.open('shared', {}));
  },
  'goes to another page': (writer) => writer.goto('about:blank'),
  'has its worker terminated': (writer) => writer.evaluate(() => tab.terminateWorker()),
};

/** How a tab may be stopped, and go on. Chromium under Playwright stops none by itself, so it is told that it will be. */
const STOPS: Record<string, (page: Page, context: BrowserContext) => Promise<() => Promise<unknown>>> = {
  // In the foreground, where Playwright keeps every tab, nothing is told and nothing stops: see frozen-tab.spec.ts.
  'is frozen for debugging': async (page, context) => {
    const session = await context.newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    return () => session.send('Page.setWebLifecycleState', { state: 'active' });
  },
  'is about to be frozen': async (page) => {
    const tell = (type: string) => page.evaluate((told) => document.dispatchEvent(new Event(told)), type);
    await tell('freeze');
    return () => tell('resume');
  },
  'is about to be kept for going back to': async (page) => {
    const tell = (type: string) =>
      page.evaluate((told) => dispatchEvent(new PageTransitionEvent(told, { persisted: true })), type);
    await tell('pagehide');
    return () => tell('pageshow');
  },
};

/** Stops a page's worker where it stands, which nothing tells it, as a debugger does. @returns lets it go on */
async function pauseWorker(page: Page, context: BrowserContext): Promise<() => Promise<unknown>> {
  const session = await context.newCDPSession(page);
  const attached = new Promise<string>((resolve) => {
    session.on('Target.attachedToTarget', ({ sessionId }) => resolve(sessionId));
  });
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false });
  const sessionId = await attached;
  let id = 0;
  const send = (method: string, params: object = {}) => {
    const message = JSON.stringify({ id: ++id, method, params });
    return session.send('Target.sendMessageToTarget', { sessionId, message });
  };
  await send('Debugger.enable');
  await send('Debugger.pause');
  // It stops with the next thing that it does.
  return () => send('Debugger.disable');
}

for (const storage of STORAGES)
  test.describe(`tabs on ${storage}`, () => {
    test('that open at the same instant, ten of them, all read and write', async ({ context }) => {
      const pages = await openTabs(context, storage, 10);
      const { writer } = await byRole(pages);
      await writer.evaluate(() => tab.setCounter());
      await Promise.all(
        pages.map((page, index) => page.evaluate((who) => tab.begin(who, 10, 5), `t${index}`)),
      );
      await checkHistory(pages);
    });

    for (const [fate, meet] of Object.entries(FATES))
      test(`carry on when the one that writes ${fate}`, async ({ context }) => {
        const pages = await openTabs(context, storage, 4);
        const { writer, followers } = await byRole(pages);
        await writer.evaluate(() => tab.setCounter());
        for (const [index, page] of followers.entries())
          await page.evaluate((who) => tab.begin(who, 60, 3), `t${index}`);
        await expect
          .poll(() => followers[0]!.evaluate(() => tab.count()), { intervals: [10] })
          .toBeGreaterThan(20);
        await meet(writer, context);
        await byRole(followers);
        const outcome = { operation: 'writes of three other tabs', fault: `the tab that writes ${fate}` };
        const recorded = { ...outcome, backend: storage, runtime: 'Chromium', tried: 1 };
        try {
          const waitMs = await checkHistory(followers);
          console.log(`${storage}: the writer ${fate}: the longest call took ${Math.round(waitMs)} ms`);
          matrix.record({ ...recorded, survived: 1 });
        } catch (error) {
          matrix.record({ ...recorded, survived: 0 });
          throw error;
        }
      });

    for (const [stop, begin] of Object.entries(STOPS))
      test(`carry on when the one that writes ${stop}, and with it when it goes on`, async ({ context }) => {
        const pages = await openTabs(context, storage, 3);
        const { writer, followers } = await byRole(pages);
        await writer.evaluate(() => tab.setCounter());
        for (const [index, page] of followers.entries())
          await page.evaluate((who) => tab.begin(who, 60, 3), `t${index}`);
        const goOn = await begin(writer, context);
        for (const page of followers) await page.evaluate(() => tab.end());
        await goOn();
        await writer.evaluate(() => tab.begin('again', 10, 3));
        await checkHistory(pages);
        const isHandedOver = (await byRole(pages)).writer !== writer;
        expect(isHandedOver).toBe(stop.startsWith('is about to be'));
      });

    test('wait in vain for one that writes and is stopped without a word, until it wakes or goes', async ({
      context,
    }) => {
      const pages = await openTabs(context, storage, 3);
      const { writer, followers } = await byRole(pages);
      const [follower, other] = followers as [Page, Page];
      const reader = await context.newPage();
      await reader.goto(served.url);
      await reader.evaluate((kind) => tab.openToRead('shared', { storage: kind }), storage);
      const expectStored = async (page: Page, id: string) =>
        expect(await page.evaluate((given) => tab.insert(given), id)).toMatchObject({ outcome: 'stored' });
      await expectStored(follower, 'before');

      const goOn = await pauseWorker(writer, context);
      const late = follower.evaluate(() => tab.insert('late'));
      const start = performance.now();
      expect(await reader.evaluate(() => tab.read())).toContain('before');
      const readMs = performance.now() - start;
      const { outcome, afterMs } = await late;
      expect(outcome).toBe('LOCK_TIMEOUT');
      await goOn();
      await expectStored(follower, 'after it woke');
      expect(await reader.evaluate(() => tab.read())).toContain('after it woke');

      await pauseWorker(writer, context);
      const pending = follower.evaluate(() => tab.insert('pending'));
      await other.evaluate(() => tab.role());
      await writer.close();
      const taken = await pending;
      expect(taken.outcome).toBe('stored');
      await byRole(followers);
      for (const page of [...followers, reader])
        expect(await page.evaluate(() => tab.read())).toEqual(
          expect.arrayContaining(['before', 'after it woke', 'pending']),
        );
      console.log(
        `${storage}: beside a paused writer a reader took ${Math.round(readMs)} ms, a write failed after ${Math.round(afterMs)} ms; closed, it was replaced within ${Math.round(taken.afterMs)} ms`,
      );
    });

    test('read on, opened first or second, while a writer comes, writes, compacts, and goes in every way', async ({
      context,
    }) => {
      const readers: Page[] = [];
      const openReader = async () => {
        const page = await context.newPage();
        await page.goto(served.url);
        await page.evaluate((kind) => tab.openToRead('shared', { storage: kind }), storage);
        readers.push(page);
      };
      const write = async (page: Page, name: string) => {
        const ids = Array.from({ length: 40 }, (_, index) => `${name} ${index}`).sort();
        await page.evaluate((given) => tab.write(given), ids);
        for (const reader of readers) expect(await reader.evaluate(() => tab.read())).toEqual(ids);
      };
      const [first] = await openTabs(context, storage, 1);
      await openReader();
      await write(first!, 'first');
      await first!.close();
      await openReader();
      for (const [fate, meet] of Object.entries(FATES)) {
        for (const reader of readers) await reader.evaluate(() => tab.read());
        const [writer] = await openTabs(context, storage, 1);
        const [next] = await openTabs(context, storage, 1);
        await write(writer!, `before it ${fate}`);
        await writer!.evaluate(() => tab.compact());
        await write(writer!, `compacted before it ${fate}`);
        await meet(writer!, context);
        await write(next!, `after it ${fate}`);
        await next!.evaluate(() => tab.compact());
        await writer!.close();
        await next!.close();
      }
      for (const reader of readers) {
        await reader.evaluate(() => tab.read());
        expect(await reader.evaluate(() => tab.role())).toBe('none');
      }
    });

    test('contend: eight of them, 200 batches each, all there and none twice', async ({ context }) => {
      const pages = await openTabs(context, storage, 8);
      const { writer } = await byRole(pages);
      await writer.evaluate(() => tab.setCounter());
      const start = performance.now();
      await Promise.all(
        pages.map((page, index) => page.evaluate((who) => tab.begin(who, 200, 20), `t${index}`)),
      );
      const waitMs = await checkHistory(pages);
      const seconds = (performance.now() - start) / 1000;
      console.log(
        `${storage}: 1,600 batches of 8 tabs: ${seconds.toFixed(1)} s, the longest ${Math.round(waitMs)} ms`,
      );
    });
  });

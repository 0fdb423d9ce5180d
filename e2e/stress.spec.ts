import type { Browser, Page } from '@playwright/test';
import { expect, test } from './demo-page.ts';

const TASK_MS_MAX = 50;

test('no task of the main thread takes over 50 ms while 10,000 vectors are inserted and indexed', async ({
  browser,
  page,
  complaints: _,
}) => {
  test.setTimeout(150_000);
  const tasks = await mainThreadTasks(browser, page, async () => {
    await page.goto('/stress.html');
    await expect(page.getByRole('status')).toHaveText('Done', { timeout: 120_000 });
  });
  expect(tasks.length).toBeGreaterThan(100);
  expect(tasks.filter(({ cpuMs }) => cpuMs > TASK_MS_MAX)).toEqual([]);

  // What the page itself was told of, and shows, is wall time: a busy machine stretches it by what others get meanwhile.
  const observedMs = JSON.parse(
    (await page.locator('body').getAttribute('data-long-tasks')) ?? '',
  ) as number[];
  await expect(page.locator('dl')).toContainText(`Tasks over ${TASK_MS_MAX} ms${observedMs.length}`);
});

interface Task {
  wallMs: number;
  cpuMs: number;
}

/** Every task of the page's main thread while `work` runs, from the browser's own trace. */
async function mainThreadTasks(browser: Browser, page: Page, work: () => Promise<void>): Promise<Task[]> {
  const categories = ['devtools.timeline', 'disabled-by-default-devtools.timeline'];
  await browser.startTracing(page, { categories });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  // The browser has pages of its own, in other processes.
  const loaded = traceEvents.find(
    ({ name, args }) => name === 'CommitLoad' && args?.data?.url?.startsWith(page.url()),
  );
  if (!loaded) throw new Error(`the trace does not show how ${page.url()} was loaded`);
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'RunTask' && pid === loaded.pid && tid === loaded.tid)
    .map(({ dur = 0, tdur = 0 }) => ({ wallMs: dur / 1000, cpuMs: tdur / 1000 }));
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds from begin to end. */
  dur?: number;
  /** Microseconds of the thread's CPU time. */
  tdur?: number;
  args?: { data?: { url?: string } };
}

/** The curve's points in Chromium, on OPFS. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright';
import { build, type InlineConfig, preview } from 'vite';
import { browserLaunchOptions } from '../../scripts/browser.ts';
import { benchFolder, dataFolder } from '../folders.ts';
import { median } from '../measure.ts';
import type { PageSteps } from './page.ts';
import { type Point, REOPENINGS } from './results.ts';
import type { Task } from './workload.ts';

/** An isolated page gets the finer clock. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

export async function measureChromium(task: Task): Promise<Point> {
  const profile = join(dataFolder, `chromium-${process.pid}`);
  const page: InlineConfig = {
    configFile: false,
    root: join(benchFolder, 'scale'),
    logLevel: 'error',
    worker: { format: 'es' },
    build: { outDir: join(dataFolder, 'scale-page'), emptyOutDir: true },
  };
  await build(page);
  const server = await preview({ ...page, preview: { host: '127.0.0.1', port: 0, headers: ISOLATED } });
  const url = server.resolvedUrls?.local[0] ?? '';
  try {
    /** Each in a start of the browser of its own. */
    const run = async <Name extends keyof PageSteps>(
      step: Name,
    ): Promise<Awaited<ReturnType<PageSteps[Name]>>> => {
      const browser = await chromium.launchPersistentContext(profile, browserLaunchOptions);
      try {
        return (await runInPage(browser, url, step, task)) as Awaited<ReturnType<PageSteps[Name]>>;
      } finally {
        await browser.close();
      }
    };
    const built = await run('build');
    const reopenedMs: number[] = [];
    for (let round = 0; round < REOPENINGS; round++) reopenedMs.push(await run('reopen'));
    return { runtime: 'Chromium', ...task, ...built, ...(await run('search')), reopenMs: median(reopenedMs) };
  } finally {
    await server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function runInPage(
  browser: BrowserContext,
  url: string,
  step: keyof PageSteps,
  task: Task,
): Promise<unknown> {
  const page = await browser.newPage();
  // Building takes as long as it takes.
  page.setDefaultTimeout(0);
  await page.goto(url);
  await page.waitForFunction(() => window.scale !== undefined);
  return page.evaluate(([name, given]): Promise<unknown> => window.scale[name](given), [step, task] as const);
}

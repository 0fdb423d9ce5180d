/** A browser process killed while it stores, and started again on the same profile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from '@playwright/test';
import { browserArguments, browserExecutable } from '../scripts/browser.ts';
import { BREAD, DemoPage, expect, type OwnFile, test } from './demo-page.ts';

/** Behind Debian's start script; only the process itself can be killed for real. */
const DEBIAN_BINARY = '/usr/lib/chromium/chromium';

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
    await kill(before.process);

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
    await kill(after.process);
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});

async function launch(profile: string): Promise<{ process: ChildProcess; browser: Browser; demo: DemoPage }> {
  const portFile = join(profile, 'DevToolsActivePort');
  await rm(portFile, { force: true });
  const binary = existsSync(DEBIAN_BINARY) ? DEBIAN_BINARY : (browserExecutable ?? chromium.executablePath());
  const process = spawn(
    binary,
    [
      '--headless',
      ...browserArguments,
      `--user-data-dir=${profile}`,
      '--remote-debugging-port=0',
      'about:blank',
    ],
    { stdio: 'ignore' },
  );
  await expect.poll(() => readFile(portFile, 'utf8').catch(() => '')).toContain('\n');
  const port = (await readFile(portFile, 'utf8')).split('\n')[0];
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const context = browser.contexts()[0]!;
  return { process, browser, demo: new DemoPage(context.pages()[0] ?? (await context.newPage())) };
}

async function kill(process: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => process.once('exit', resolve));
  process.kill('SIGKILL');
  await ended;
}

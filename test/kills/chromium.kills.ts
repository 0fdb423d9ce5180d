/** Pages in a real Chromium that work on OPFS and on IndexedDB: browsers killed, tabs closed, workers terminated. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { type BrowserProcess, startBrowser, type Tab } from '../../scripts/browser-process.ts';
import type { OpenOptions } from '../../src/base/api.ts';
import { Matrix } from '../matrix.ts';
import { KILLS_FACTOR, SEED } from './killing.ts';
import { Line, PageServer } from './page-server.ts';
import { randomOf } from './workload.ts';

const BROWSER_KILLS = Math.ceil(30 * KILLS_FACTOR);
const TAB_CLOSES = Math.ceil(10 * KILLS_FACTOR);
const TERMINATIONS = Math.ceil(20 * KILLS_FACTOR);

/** How many steps a page does at most before it is killed, and how far into the last one that is at most. */
const STEPS_MAX = 20;
const STEP_MS = 15;
const WAIT_MS_MAX = 60_000;
const LOOK_MS = 2;
const STORAGES = ['opfs', 'indexeddb'] as const;
const RELAXED: OpenOptions = { durability: 'relaxed', syncInterval: 50 };

const root = mkdtempSync(join(tmpdir(), 'isovec-kills-'));
const profile = join(root, 'profile');
const matrix = new Matrix('killed-chromium');
const server = await PageServer.start(join(root, 'page'));

afterAll(() => {
  matrix.write();
  server.close();
  rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

/** One database on each kind of storage. */
function addLines(fault: string, options: OpenOptions, terminations = 0): Map<string, Line> {
  const lines = new Map<string, Line>();
  for (const storage of STORAGES) {
    const durability = options.durability ?? 'strict';
    // A test that is tried again begins with databases of its own.
    const number = server.lines.size;
    const name = `${fault}-${durability}-${storage}-${number}`.replaceAll(/\W/g, '-');
    const seed = SEED + number;
    const task = {
      storage,
      seed,
      options,
      overlap: 3,
      terminations,
      stepsMax: STEPS_MAX,
      delayMsMax: STEP_MS,
    };
    const line = new Line(task, (operation, survived) =>
      matrix.record({
        operation: `${operation} (${durability})`,
        fault,
        backend: storage,
        runtime: 'Chromium',
        tried: 1,
        survived: survived ? 1 : 0,
      }),
    );
    server.lines.set(name, line);
    lines.set(name, line);
  }
  return lines;
}

/** Waits for pages. @throws when one of them has failed, or found what must not be */
async function until(what: string, lines: readonly Line[], isSo: (line: Line) => boolean): Promise<void> {
  const end = performance.now() + WAIT_MS_MAX;
  while (!lines.every(isSo)) {
    for (const { failure, operation, task } of lines)
      if (failure)
        throw new Error(`${what}, ${task.storage}, in a run with KILLS_SEED=${SEED}: ${operation}`, {
          cause: failure,
        });
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Waits until all have found what is there, and have then done some steps. */
async function untilAtWork(lines: Map<string, Line>, sessions: number, random: () => number): Promise<void> {
  const all = [...lines.values()];
  await until(`session ${sessions}`, all, (line) => line.sessions >= sessions);
  const steps = 1 + Math.floor(random() * STEPS_MAX);
  await until(`at work in session ${sessions}`, all, ({ begunNow }) => begunNow >= steps);
  await new Promise((resolve) => setTimeout(resolve, random() * STEP_MS));
}

function openTabs(browser: BrowserProcess, lines: Map<string, Line>): Promise<Tab[]> {
  return Promise.all([...lines.keys()].map((name) => browser.openTab(server.url(name))));
}

describe.each([
  ['SIGKILL of the browser', {}],
  ['SIGKILL of the browser', RELAXED],
])('%s, %o', (fault, options) => {
  const kills = Math.ceil(BROWSER_KILLS / 2);

  it(`${kills} times: all that was acknowledged is there, and nothing torn`, async () => {
    const lines = addLines(fault, options);
    for (let kill = 0; kill <= kills; kill++) {
      const browser = await startBrowser(profile);
      try {
        await openTabs(browser, lines);
        await untilAtWork(lines, kill + 1, randomOf(SEED, kill));
      } finally {
        await browser.kill();
      }
    }
  });
});

describe('tabs and workers', () => {
  it(`closing the tab, ${TAB_CLOSES} times: all that was acknowledged is there, and nothing torn`, async () => {
    const lines = addLines('tab closed', {});
    const browser = await startBrowser(profile);
    try {
      for (let close = 0; close <= TAB_CLOSES; close++) {
        const tabs = await openTabs(browser, lines);
        await untilAtWork(lines, close + 1, randomOf(SEED, close));
        for (const tab of tabs) await tab.close();
      }
    } finally {
      await browser.kill();
    }
  });

  it(`terminating the worker, ${TERMINATIONS} times: all that was acknowledged is there, and nothing torn`, async () => {
    const lines = addLines('worker.terminate()', {}, TERMINATIONS);
    const browser = await startBrowser(profile);
    try {
      await openTabs(browser, lines);
      await until('terminations', [...lines.values()], ({ isFinished }) => isFinished);
    } finally {
      await browser.kill();
    }
  });
});

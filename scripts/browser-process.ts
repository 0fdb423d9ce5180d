/** A browser as a process that can be killed for real. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { browserArguments, browserExecutable } from './browser.ts';

/** Behind Debian's start script; only the process itself can be killed for real. */
const DEBIAN_BINARY = '/usr/lib/chromium/chromium';

const LOOK_MS = 20;
const START_MS_MAX = 60_000;
const END_MS_MAX = 10_000;

export interface BrowserProcess {
  /** Where it listens for the DevTools protocol. */
  debuggingUrl: string;
  openTab(url: string): Promise<Tab>;
  kill(): Promise<void>;
}

export interface Tab {
  close(): Promise<void>;
}

/** @param profile a folder; what a browser stored in it is there for the next */
export async function startBrowser(profile: string): Promise<BrowserProcess> {
  const portFile = join(profile, 'DevToolsActivePort');
  await rm(portFile, { force: true });
  const binary = existsSync(DEBIAN_BINARY) ? DEBIAN_BINARY : (browserExecutable ?? chromium.executablePath());
  const browser = spawn(
    binary,
    [
      '--headless',
      ...browserArguments,
      `--user-data-dir=${profile}`,
      '--remote-debugging-port=0',
      'about:blank',
    ],
    // A group of its own, so that all of its processes are known.
    { stdio: 'ignore', detached: true },
  );
  try {
    const debuggingUrl = `http://127.0.0.1:${await readPort(portFile)}`;
    return {
      debuggingUrl,
      openTab: (url) => openTab(debuggingUrl, url),
      kill: () => killed(browser),
    };
  } catch (error) {
    await killed(browser);
    throw error;
  }
}

async function readPort(file: string): Promise<string> {
  const end = performance.now() + START_MS_MAX;
  while (performance.now() < end) {
    const text = await readFile(file, 'utf8').catch(() => '');
    // The port's line is whole when another follows.
    if (text.includes('\n')) return text.split('\n')[0]!;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`the browser has not started within ${START_MS_MAX} ms`);
}

async function openTab(debuggingUrl: string, url: string): Promise<Tab> {
  const opened = await fetch(`${debuggingUrl}/json/new?${url}`, { method: 'PUT' });
  const { id } = (await opened.json()) as { id: string };
  return { close: async () => void (await fetch(`${debuggingUrl}/json/close/${id}`)) };
}

async function killed(browser: ChildProcess): Promise<void> {
  if (browser.exitCode !== null || browser.signalCode !== null) return;
  const ended = new Promise((resolve) => browser.once('exit', resolve));
  browser.kill('SIGKILL');
  await ended;
  await groupEnded(browser.pid!);
}

/** The browser's other processes notice that it is gone, and end, but write to the profile until then. */
async function groupEnded(group: number): Promise<void> {
  const end = performance.now() + END_MS_MAX;
  while (performance.now() < end && hasProcesses(group))
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

function hasProcesses(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

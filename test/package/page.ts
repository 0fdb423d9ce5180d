/** A blank Vite application: built and served under a strict policy, and in Vite's development mode. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright';
import { build, createServer, type InlineConfig, preview } from 'vite';
import { browserLaunchOptions } from '../../scripts/browser.ts';
import type { Check } from './check.ts';

type Action = 'write' | 'read' | 'remove' | 'searchByHnswlib' | 'missHnswlib';

/** The application's `session.mjs`. */
declare global {
  interface Window {
    session: Record<Action, (location: string, options: object) => Promise<void>>;
  }
}

export const STRICT_POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
const STORAGES = ['opfs', 'indexeddb'] as const;

export const pageChecks: readonly Check[] = [
  {
    title: `Vite, built, under "${STRICT_POLICY}": stores, closes, reopens and queries on OPFS and IndexedDB`,
    run: async (folder) => {
      const server = await serveBuilt(folder, STRICT_POLICY);
      await visitAndClose(folder, server);
    },
  },
  {
    title: 'Vite, in development, without configuration: stores, closes, reopens and queries',
    run: async (folder) => {
      await visitAndClose(folder, await serveInDevelopment(folder));
    },
  },
];

function application(folder: string): InlineConfig {
  return { configFile: false, root: join(folder, 'app'), base: './', logLevel: 'error' };
}

/** Built and served under a content security policy. */
export async function serveBuilt(folder: string, policy: string): Promise<Server> {
  await build(application(folder));
  return preview({
    ...application(folder),
    preview: { host: '127.0.0.1', port: 0, headers: { 'content-security-policy': policy } },
  });
}

export async function serveInDevelopment(folder: string): Promise<Server> {
  const server = await createServer({
    ...application(folder),
    cacheDir: join(folder, '.vite'),
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  });
  return server.listen();
}

interface Server {
  resolvedUrls: { local: string[] } | null;
  close(): Promise<void>;
}

/** Does each action in a start of the browser of its own. */
export async function visitAndClose(
  folder: string,
  server: Server,
  actions: readonly Action[] = ['write', 'read', 'remove'],
  options: object = {},
): Promise<void> {
  const profile = mkdtempSync(join(folder, 'profile-'));
  try {
    const url = server.resolvedUrls?.local[0] ?? '';
    for (const action of actions) {
      await visit(profile, url, async (page) => {
        for (const storage of STORAGES) await runInPage(page, action, { ...options, storage });
      });
    }
  } finally {
    await server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** One start of the browser, with a profile that is kept. */
async function visit(profile: string, url: string, use: (page: Page) => Promise<void>): Promise<void> {
  const browser = await chromium.launchPersistentContext(profile, browserLaunchOptions);
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    await page.waitForFunction(() => window.session !== undefined);
    await use(page);
    if (complaints.length > 0) throw new Error(`The page complained: ${complaints.join('; ')}`);
  } finally {
    await browser.close();
  }
}

async function runInPage(page: Page, action: Action, options: { storage: string }): Promise<void> {
  await page.evaluate(([step, given]) => window.session[step](`test-${given.storage}`, given), [
    action,
    options,
  ] as const);
}

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { browserLaunchOptions } from './scripts/browser.ts';

/** A profile on disk, for Chromium keeps what a private window stores in memory, without quota. It cannot be shared. */
const browserProfile = join(tmpdir(), `isovec-browser-${process.pid}`);
process.on('exit', () => rmSync(browserProfile, { recursive: true, force: true, maxRetries: 3 }));

/** Tests: everything under test/ in Node, and what is named *.browser.test.ts in a real Chromium. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.browser.test.ts', '**/node_modules/**'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'kills',
          include: ['test/kills/*.kills.ts'],
          // Real browsers on busy machines: once in 200 kills one came back without a whole IndexedDB database.
          retry: process.env.CI ? 1 : 0,
          testTimeout: 600_000,
        },
      },
      {
        resolve: { conditions: ['browser'] },
        optimizeDeps: { include: ['@cfworker/json-schema', 'comlink', 'idb', 'fast-check'] },
        test: {
          name: 'browser',
          include: ['test/**/*.browser.test.ts'],
          testTimeout: 120_000,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: browserLaunchOptions, persistentContext: browserProfile }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});

import { defineConfig } from '@playwright/test';
import { browserLaunchOptions } from '../scripts/browser.ts';

const PORT = 4179;

/** The built demo, served as a visitor gets it, in a real Chromium. */
export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  // One at a time: the embedding model keeps a core busy by itself.
  workers: 1,
  fullyParallel: false,
  timeout: 90_000,
  expect: { timeout: 30_000 },
  forbidOnly: process.env.CI !== undefined,
  // A shared machine may stall for seconds; a test that fails twice is broken.
  retries: process.env.CI === undefined ? 0 : 1,
  reporter: [['list']],
  use: {
    baseURL: `http://localhost:${PORT}`,
    launchOptions: browserLaunchOptions,
    trace: 'retain-on-failure',
  },
  webServer: {
    command: `npx vite build demo --logLevel warn && npx vite preview demo --port ${PORT} --strictPort`,
    cwd: '..',
    url: `http://localhost:${PORT}`,
    timeout: 120_000,
    reuseExistingServer: false,
  },
});

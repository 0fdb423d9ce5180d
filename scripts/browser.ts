import { existsSync } from 'node:fs';

const INSTALLED_BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The browser that is installed, or undefined to let Playwright use its own. CHROMIUM_PATH overrides. */
export const browserExecutable: string | undefined = [
  process.env.CHROMIUM_PATH ?? '',
  ...INSTALLED_BROWSERS,
].find((path) => path !== '' && existsSync(path));

/** What Chromium needs to start as root, and to leave the network alone. */
export const browserArguments: string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** For Playwright and for vitest's browser mode. */
export const browserLaunchOptions = {
  ...(browserExecutable !== undefined && { executablePath: browserExecutable }),
  args: browserArguments,
};

/**
 * `npm run test:package`: what `npm publish` would send, installed where isovec is used, and used there. Needs the
 * built package (`npm run setup`).
 */
import { join } from 'node:path';
import type { Check } from './check.ts';
import { installConsumer } from './consumer-folder.ts';
import { hnswlibChecks } from './hnswlib.ts';
import { pageChecks } from './page.ts';
import { runCommand, tool } from './run-command.ts';
import { runtimeChecks } from './runtimes.ts';

const consumer = installConsumer();

const packageChecks: readonly Check[] = [
  {
    title: 'publint finds nothing to complain about',
    run: async (folder) => {
      await runCommand(tool('publint'), ['run', consumer.tarball, '--strict'], folder);
    },
  },
  {
    title: 'arethetypeswrong finds nothing wrong (profile esm-only)',
    run: async (folder) => {
      await runCommand(
        tool('attw'),
        [consumer.tarball, '--profile', 'esm-only', '--no-definitely-typed'],
        folder,
      );
    },
  },
  ...['nodenext', 'bundler'].map((resolution) => ({
    title: `A strict TypeScript project compiles against it (module resolution ${resolution})`,
    run: async (folder: string) => {
      await runCommand(tool('tsc'), ['-p', join(folder, 'types', `tsconfig.${resolution}.json`)], folder);
    },
  })),
];

async function passes(check: Check): Promise<boolean> {
  try {
    await check.run(consumer.folder);
    console.log(`ok      ${check.title}`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${check.title}`);
    console.error(error instanceof Error ? error.message : error);
    return false;
  }
}

let passedCount = 0;
// The last ones install something more.
const checks = [...packageChecks, ...runtimeChecks, ...pageChecks, ...hnswlibChecks];
try {
  for (const check of checks) {
    if (await passes(check)) passedCount++;
  }
} finally {
  consumer.remove();
}
console.log(`${passedCount} passed, ${checks.length - passedCount} failed`);
if (passedCount < checks.length) process.exitCode = 1;

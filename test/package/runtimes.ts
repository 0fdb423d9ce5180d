/** Node, Deno and Bun: each stores in one process, and opens again and queries in the next. */
import { join } from 'node:path';
import type { Check } from './check.ts';
import { expectOk, tool } from './run-command.ts';

export interface Runtime {
  name: string;
  program: string;
  args: string[];
}

export const RUNTIMES: readonly Runtime[] = [
  { name: 'Node', program: process.execPath, args: [] },
  {
    name: 'Deno',
    program: tool('deno'),
    args: ['run', '--allow-all', '--no-remote', '--node-modules-dir=manual'],
  },
  { name: 'Bun', program: tool('bun'), args: ['run'] },
];

export const runtimeChecks: readonly Check[] = [
  ...RUNTIMES.flatMap((runtime) =>
    [false, true].map((worker) => ({
      title: `${runtime.name}${worker ? ', engine in a worker' : ''}: stores, closes, reopens and queries`,
      run: async (folder: string) => {
        const database = join(folder, `${runtime.name}-${worker}`);
        for (const action of ['write', 'read', 'remove']) {
          await session(runtime, action, database, { worker }, folder);
        }
      },
    })),
  ),
  {
    title: 'Node, Deno and Bun open the same folder one after another',
    run: async (folder) => {
      const database = join(folder, 'shared');
      const [node, deno, bun] = RUNTIMES as [Runtime, Runtime, Runtime];
      await session(node, 'write', database, {}, folder);
      for (const runtime of [deno, bun, node]) await session(runtime, 'read', database, {}, folder);
    },
  },
  {
    title: 'Server-side rendering: importing the entry for browsers touches no browser global',
    run: (folder) => expectOk(process.execPath, ['import-without-browser.mjs'], folder),
  },
];

export function session(
  runtime: Runtime,
  action: string,
  database: string,
  options: { worker?: boolean; reason?: string },
  folder: string,
): Promise<void> {
  const args = [...runtime.args, 'session-process.mjs', action, database, JSON.stringify(options)];
  return expectOk(runtime.program, args, folder);
}

/** The optional engine: where it is missing, and where it has been installed. */
import { join } from 'node:path';
import type { Check } from './check.ts';
import { installBeside } from './consumer-folder.ts';
import { STRICT_POLICY, serveBuilt, serveInDevelopment, visitAndClose } from './page.ts';
import { runCommand, tool } from './run-command.ts';
import { RUNTIMES, session } from './runtimes.ts';

const PACKAGE = 'hnswlib-wasm@0.8.2';
const INSTALL_IT = { reason: `npm install ${PACKAGE}` };
const EVAL_POLICY = STRICT_POLICY.replace("'wasm-unsafe-eval'", "'unsafe-eval'");

export const hnswlibChecks: readonly Check[] = [
  ...RUNTIMES.map((runtime) => ({
    title: `${runtime.name}, without hnswlib-wasm: says what to install`,
    run: (folder: string) => session(runtime, 'missHnswlib', join(folder, 'missing'), INSTALL_IT, folder),
  })),
  {
    title: 'Vite, without hnswlib-wasm: builds, and says what to install',
    run: async (folder) =>
      visitAndClose(folder, await serveBuilt(folder, STRICT_POLICY), ['missHnswlib'], INSTALL_IT),
  },
  { title: 'esbuild bundles it without hnswlib-wasm', run: bundle },
  {
    title: `npm install ${PACKAGE} beside it`,
    run: async (folder) => installBeside(folder, PACKAGE),
  },
  ...RUNTIMES.flatMap((runtime) =>
    [false, true].map((worker) => ({
      title: `${runtime.name}${worker ? ', engine in a worker' : ''}: searches by hnswlib-wasm`,
      run: (folder: string) =>
        session(runtime, 'searchByHnswlib', join(folder, 'hnswlib'), { worker }, folder),
    })),
  ),
  {
    title: `Vite, built, under "${EVAL_POLICY}": searches by hnswlib-wasm`,
    run: async (folder) => visitAndClose(folder, await serveBuilt(folder, EVAL_POLICY), ['searchByHnswlib']),
  },
  {
    title: "Vite, built, under a policy without 'unsafe-eval': says that hnswlib-wasm needs it",
    run: async (folder) =>
      visitAndClose(folder, await serveBuilt(folder, STRICT_POLICY), ['missHnswlib'], {
        reason: "'unsafe-eval'",
      }),
  },
  {
    title: 'Vite, in development: searches by hnswlib-wasm',
    run: async (folder) => visitAndClose(folder, await serveInDevelopment(folder), ['searchByHnswlib']),
  },
  { title: 'esbuild bundles it with hnswlib-wasm', run: bundle },
];

async function bundle(folder: string): Promise<void> {
  const options = ['--bundle', '--format=esm', '--splitting', `--outdir=${join(folder, 'bundled')}`];
  await runCommand(tool('esbuild'), [join(folder, 'app', 'main.js'), ...options], folder);
}

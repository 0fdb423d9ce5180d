/** Compiles the kernel if it has changed, and src/ to dist/ as plain ES modules with declarations; lays both together. */
import { execFileSync } from 'node:child_process';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RUNTIME_FOLDER, VARIANTS } from '../wasm/build.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const finished = join(root, 'dist');
// Beside it, then swapped: a build that fails leaves the last good one.
const fresh = join(root, 'dist.new');

rmSync(fresh, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [compiler, '-p', join(root, 'scripts', 'tsconfig.lib.json'), '--outDir', fresh],
  { stdio: 'inherit' },
);
for (const { output } of VARIANTS)
  if (dirname(output) === RUNTIME_FOLDER)
    cpSync(join(root, 'wasm', output), join(fresh, 'runtime', basename(output)));
rmSync(finished, { recursive: true, force: true });
renameSync(fresh, finished);

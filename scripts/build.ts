/** Compiles the kernel if it has changed, and src/ to dist/ as plain ES modules with declarations; lays both together. */
import { execFileSync } from 'node:child_process';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '../wasm/build.ts';

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
cpSync(join(root, 'src', 'runtime', 'isovec.wasm'), join(fresh, 'runtime', 'isovec.wasm'));
rmSync(finished, { recursive: true, force: true });
renameSync(fresh, finished);

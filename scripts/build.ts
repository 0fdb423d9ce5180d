/** Compiles src/ to dist/ as plain ES modules with declarations, and lays the kernel beside its loader. */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync(process.execPath, [compiler, '-p', join(root, 'scripts', 'tsconfig.lib.json')], {
  stdio: 'inherit',
});
cpSync(join(root, 'src', 'runtime', 'isovec.wasm'), join(root, 'dist', 'runtime', 'isovec.wasm'));

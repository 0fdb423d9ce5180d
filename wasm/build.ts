/**
 * Compiles the kernel, with a compiler that is itself an npm package, to src/runtime/isovec.wasm; and with the scalar
 * twins exported, for tests alone, to wasm/build/isovec-test.wasm. What is newer than all its inputs is left alone.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { commands } from '@yowasp/clang';

const here = dirname(fileURLToPath(import.meta.url));
const TEST_ONLY = 'twins.c';

const FLAGS = [
  '--target=wasm32',
  '-std=c17',
  // A third less to load than -O3, and as fast (GloVe, 100 dimensions): what is hot is written as it should be.
  '-Oz',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-nostdlib',
  '-ffreestanding',
  '-ffp-contract=off',
  '-msimd128',
  '-mbulk-memory',
  '-Wl,--no-entry',
  '-Wl,--max-memory=4294967296',
  // the stack first, so that an overflow leaves memory and traps
  '-Wl,--stack-first',
  '-Wl,-z,stack-size=131072',
  '-Wl,--strip-all',
];

const inputs = readdirSync(here).filter((name) => /\.(c|h|ts)$/.test(name));
const newestInput = Math.max(...inputs.map((name) => statSync(join(here, name)).mtimeMs));

/** What an ABI header declares as exported. */
function exportsOf(source: string): string[] {
  const text = readFileSync(join(here, source), 'utf8');
  return [...text.matchAll(/^EXPORT [\w ]+?\b(\w+)\(/gm)].map((match) => match[1]!);
}

async function compile(output: string, sources: string[], exported: string[]): Promise<void> {
  if ((statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newestInput) return;
  const files = Object.fromEntries(
    inputs.filter((name) => !name.endsWith('.ts')).map((name) => [name, readFileSync(join(here, name))]),
  );
  const args = [...FLAGS, ...exported.map((name) => `-Wl,--export=${name}`), ...sources, '-o', 'kernel.wasm'];
  const tree = await commands.clang(args, files, { fetchProgress: () => {} });
  const wasm = tree?.['kernel.wasm'];
  if (!(wasm instanceof Uint8Array)) throw new Error('the compiler made no module');
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, wasm);
  console.log(`${output}: ${wasm.length} bytes, ${gzipSync(wasm).length} gzip`);
}

const sources = inputs.filter((name) => name.endsWith('.c'));
const product = exportsOf('isovec.h');
await compile(
  join(here, '..', 'src', 'runtime', 'isovec.wasm'),
  sources.filter((name) => name !== TEST_ONLY),
  product,
);
await compile(join(here, 'build', 'isovec-test.wasm'), sources, [...product, ...exportsOf(TEST_ONLY)]);

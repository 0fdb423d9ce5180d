/**
 * Compiles the kernel, with a compiler that is itself an npm package, to the modules in `VARIANTS`. What is newer than
 * all its inputs is left alone.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { commands } from '@yowasp/clang';
import binaryen from 'binaryen';

interface Variant {
  /** Relative to this folder. */
  output: string;
  flags: string[];
  /** A header with more exports, and what the linker has besides. */
  header?: string;
  exports?: string[];
  /** Exports that it goes without. */
  leftOut?: RegExp;
  /** A source with exports of its own, for tests alone. */
  testSource?: string;
}

export const RUNTIME_FOLDER = '../src/runtime';

export const VARIANTS: readonly Variant[] = [
  // What every page loads: without what only codes have use for.
  {
    output: `${RUNTIME_FOLDER}/isovec.wasm`,
    flags: ['-DISOVEC_FLOAT32_ONLY'],
    leftOut:
      /^isovec_(calibrate|keep_link_codes|code_buffer|code_address|add_code|restore_codes?|restore_vectors|checksums|room)$/,
  },
  // All kinds of codes: loaded for collections that are quantised.
  { output: `${RUNTIME_FOLDER}/isovec-codes.wasm`, flags: [] },
  // For several threads: the memory comes from outside, and each sets its own stack and thread-local storage.
  {
    output: `${RUNTIME_FOLDER}/isovec-threads.wasm`,
    flags: [
      '-matomics',
      '-Wl,--shared-memory',
      '-Wl,--import-memory',
      '-Wl,--export-memory',
      // as src/search/threaded-kernel.ts makes it
      '-Wl,--initial-memory=1048576',
    ],
    header: 'isovec-threads.h',
    exports: ['__stack_pointer', '__wasm_init_tls'],
  },
  // With the scalar twins of distances, and batches small enough to be put in order in a test of a few vectors.
  {
    output: 'build/isovec-test.wasm',
    flags: ['-DARRANGED_MIN=12u', '-DRANGE_SMALL=2u', '-DSLICE_SLOTS=8u'],
    testSource: 'twins.c',
  },
];

const here = dirname(fileURLToPath(import.meta.url));

const FLAGS = [
  '--target=wasm32',
  '-std=c17',
  // A third less to load than -O3, and as fast (GloVe, 100 dimensions): what is hot is written as it should be.
  '-Oz',
  '-flto',
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

async function compile({ output, flags, header, exports = [], leftOut, testSource }: Variant): Promise<void> {
  const path = join(here, output);
  if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newestInput) return;
  const files = Object.fromEntries(
    inputs.filter((name) => !name.endsWith('.ts')).map((name) => [name, readFileSync(join(here, name))]),
  );
  const sources = inputs.filter(
    (name) => name.endsWith('.c') && (name === testSource || !TEST_SOURCES.has(name)),
  );
  const declaring = ['isovec.h', header, testSource].filter((name) => name !== undefined);
  const exported = [...declaring.flatMap(exportsOf), ...exports].filter((name) => !leftOut?.test(name));
  const args = [...FLAGS, ...flags, ...exported.map((name) => `-Wl,--export=${name}`), ...sources];
  const tree = await commands.clang([...args, '-o', 'kernel.wasm'], files, { fetchProgress: () => {} });
  const compiled = tree?.['kernel.wasm'];
  if (!(compiled instanceof Uint8Array)) throw new Error('the compiler made no module');
  const wasm = smaller(compiled);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, wasm);
  console.log(`${output}: ${wasm.length} bytes, ${gzipSync(wasm).length} gzip`);
}

/** What the compiler's own optimizer leaves: 6% less to load. */
function smaller(wasm: Uint8Array): Uint8Array {
  const known = binaryen.Features;
  const features =
    known.SIMD128 |
    known.BulkMemory |
    known.BulkMemoryOpt |
    known.MutableGlobals |
    known.SignExt |
    known.NontrappingFPToInt |
    known.Atomics;
  const module = binaryen.readBinary(wasm);
  module.setFeatures(features);
  // As -Os of its command line.
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(1);
  module.optimize();
  const optimized = module.emitBinary();
  module.dispose();
  return optimized;
}

const TEST_SOURCES = new Set(VARIANTS.map(({ testSource }) => testSource));
for (const variant of VARIANTS) await compile(variant);

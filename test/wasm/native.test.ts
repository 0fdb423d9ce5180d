import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const sources = fileURLToPath(new URL('../../wasm', import.meta.url));
const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);

const FLAGS = [
  '-std=gnu17',
  '-O1',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffp-contract=off',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  // so that it happens to the few vectors of a test
  '-DARRANGED_MIN=12u',
  '-DRANGE_SMALL=2u',
  '-DSLICE_SLOTS=8u',
];
const INDEXES = 300;
const TIMEOUT_MS = 240_000;

test.skipIf(compiler === undefined).each([
  { name: 'one thread', hasThreads: 0 },
  { name: 'several threads', hasThreads: 1 },
])(
  'built with sanitizers, the kernel for $name survives damaged images, codes of any bytes and memory that runs out',
  ({ hasThreads }) => {
    const folder = mkdtempSync(join(tmpdir(), 'isovec-native-'));
    try {
      const program = join(folder, 'fuzz');
      const files = readdirSync(sources).filter((name) => name.endsWith('.c') && name !== 'twins.c');
      const all = [...files, join('native', 'fuzz.c')].map((name) => join(sources, name));
      const variant = `-DHAS_THREADS=${hasThreads}`;
      const args = [...FLAGS, variant, ...all, '-lm', '-o', program];
      execFileSync(compiler!, args, { timeout: TIMEOUT_MS });
      const { status, stderr } = spawnSync(program, ['1', String(INDEXES)], { timeout: TIMEOUT_MS });
      expect(String(stderr)).toBe('');
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  TIMEOUT_MS,
);

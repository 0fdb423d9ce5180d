/** Prints what isovec adds to a browser application that imports all of it, and fails above the budget. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';

/** Transferred to a page, all its parts together: small enough to be no reason against isovec. */
const GZIP_BUDGET_BYTES = 60 * 1024;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ENTRY = 'virtual:everything';
/** What those install who use them: no part of isovec. */
const OPTIONAL_PEERS = /^@energetic-ai\/|^@huggingface\//;

/**
 * `page`: what the entry imports at once. `worker`: the engine, bundled for its worker. `thread`: the same engine,
 * loaded instead of the worker where it runs without one. `kernel`: the WebAssembly module. `demand`: what an engine
 * loads when it is first asked for, most of it never; it is not counted.
 */
type Role = 'page' | 'worker' | 'thread' | 'kernel' | 'demand';

interface Size {
  rawBytes: number;
  gzipBytes: number;
  brotliBytes: number;
}

interface Part extends Size {
  name: string;
  role: Role;
}

/** @param library path of its entry in dist */
async function bundle(library: string) {
  const result = await build({
    configFile: false,
    root,
    logLevel: 'error',
    plugins: [everythingEntry(library)],
    worker: { format: 'es' },
    build: {
      write: false,
      target: 'es2022',
      assetsInlineLimit: 0,
      rolldownOptions: { input: ENTRY, external: OPTIONAL_PEERS },
    },
  });
  return [result].flat().flatMap((output) => ('output' in output ? output.output : []));
}

async function bundleParts(): Promise<Part[]> {
  const files = await bundle('index.js');
  const chunks = files.filter((file) => file.type === 'chunk');
  const atOnce = withImports(chunks.filter(({ isEntry }) => isEntry).map(nameOf), chunks);
  const engine = chunks
    .filter(({ fileName }) => atOnce.has(fileName))
    .flatMap((chunk) => chunk.dynamicImports)
    .filter((name) => !ON_DEMAND.test(name));
  const inThread = withImports(engine, chunks);
  const workers = files.filter((file) => file.type === 'asset').map(workerChunk);
  const inWorker = withImports(workers.filter(({ isEntry }) => isEntry).map(nameOf), workers);
  const roleOf = (name: string): Role => {
    if (name.endsWith('.wasm')) return ON_DEMAND.test(name) ? 'demand' : 'kernel';
    if (atOnce.has(name)) return 'page';
    if (inWorker.has(name)) return 'worker';
    return inThread.has(name) ? 'thread' : 'demand';
  };
  return files.map((file) => ({
    name: file.fileName.replace(/^assets\//, '').replace(/-[\w-]{8}\./, '.'),
    role: roleOf(file.fileName),
    ...measure(Buffer.from(file.type === 'chunk' ? file.code : file.source)),
  }));
}

/** All of `isovec/rag`, which is bundled only where it is imported, and of that only what is used. */
async function bundleRag(): Promise<Size> {
  const files = await bundle('rag/index.js');
  return measure(
    Buffer.concat(files.map((file) => Buffer.from(file.type === 'chunk' ? file.code : file.source))),
  );
}

interface Chunk {
  fileName: string;
  isEntry: boolean;
  imports: string[];
}

/** What the page loads for one call that few make, or the engine for quantised collections, by the names of files. */
const ON_DEMAND = /\b(remote-)?restore\b|\bisovec-(codes|threads)\b/;

const nameOf = (chunk: Chunk): string => chunk.fileName;

/** Vite emits a worker's chunks as assets, with nothing said of their imports. */
function workerChunk({ fileName, source }: { fileName: string; source: string | Uint8Array }): Chunk {
  const code = fileName.endsWith('.js') ? String(source) : '';
  const imports = [...code.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)].map((match) => `assets/${match[1]}`);
  return { fileName, isEntry: fileName.includes('browser-worker'), imports };
}

/** These and all that they import statically, directly or not. */
function withImports(names: readonly string[], chunks: readonly Chunk[]): Set<string> {
  const reached = new Set(names);
  for (const fileName of reached) {
    for (const imported of chunks.find((chunk) => chunk.fileName === fileName)?.imports ?? [])
      reached.add(imported);
  }
  return reached;
}

/** Keeps every export, as no real application does. */
function everythingEntry(entry: string): Plugin {
  const library = JSON.stringify(join(root, 'dist', entry));
  return {
    name: 'everything',
    resolveId: (id) => (id === ENTRY ? id : undefined),
    load: (id) =>
      id === ENTRY ? `import * as isovec from ${library}; globalThis.isovec = isovec;` : undefined,
  };
}

function measure(content: Buffer): Size {
  return {
    rawBytes: content.length,
    gzipBytes: gzipSync(content, { level: 9 }).length,
    brotliBytes: brotliCompressSync(content).length,
  };
}

function totalOf(parts: readonly Part[], roles: readonly Role[]): Size {
  const counted = parts.filter((part) => roles.includes(part.role));
  const sum = (pick: (part: Part) => number): number =>
    counted.reduce((total, part) => total + pick(part), 0);
  return {
    rawBytes: sum((part) => part.rawBytes),
    gzipBytes: sum((part) => part.gzipBytes),
    brotliBytes: sum((part) => part.brotliBytes),
  };
}

function printLine(label: string, cells: readonly string[]): void {
  console.log(label.padEnd(36) + cells.map((cell) => cell.padStart(10)).join(''));
}

function printSize(label: string, { rawBytes, gzipBytes, brotliBytes }: Size): void {
  const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;
  printLine(label, [rawBytes, gzipBytes, brotliBytes].map(kilobytes));
}

const parts = await bundleParts();
printLine('bundle size', ['raw', 'gzip', 'brotli']);
for (const part of parts) printSize(`  ${part.role.padEnd(8)} ${part.name}`, part);
const inWorker = totalOf(parts, ['page', 'worker', 'kernel']);
const inThread = totalOf(parts, ['page', 'thread', 'kernel']);
printSize('with the engine in a worker', inWorker);
printSize('with the engine in the same thread', inThread);
printSize('isovec/rag, all of it', await bundleRag());
const largestBytes = Math.max(inWorker.gzipBytes, inThread.gzipBytes);
if (largestBytes > GZIP_BUDGET_BYTES) {
  console.error(`${largestBytes} bytes gzipped are over the budget of ${GZIP_BUDGET_BYTES}`);
  process.exitCode = 1;
}

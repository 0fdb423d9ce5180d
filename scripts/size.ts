/** Prints what isovec adds to a browser application that imports all of it, and fails above the budget. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';

/** Transferred, all parts together: small enough to be no reason against it. */
const GZIP_BUDGET_BYTES = 60 * 1024;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ENTRY = 'virtual:everything';

interface Part {
  name: string;
  rawBytes: number;
  gzipBytes: number;
  brotliBytes: number;
}

async function bundle(): Promise<Part[]> {
  const result = await build({
    configFile: false,
    root,
    logLevel: 'error',
    plugins: [everythingEntry()],
    worker: { format: 'es' },
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: { input: ENTRY },
    },
  });
  const outputs = Array.isArray(result) ? result : [result];
  return outputs
    .flatMap((output) => ('output' in output ? output.output : []))
    .map((file) => measure(file.fileName, Buffer.from(file.type === 'chunk' ? file.code : file.source)));
}

/** Keeps every export, as no real application does. */
function everythingEntry(): Plugin {
  const library = JSON.stringify(join(root, 'dist', 'index.js'));
  return {
    name: 'everything',
    resolveId: (id) => (id === ENTRY ? id : undefined),
    load: (id) =>
      id === ENTRY ? `import * as isovec from ${library}; globalThis.isovec = isovec;` : undefined,
  };
}

function measure(fileName: string, content: Buffer): Part {
  return {
    name: fileName.replace(/^assets\//, '').replace(/-[\w-]{8}\./, '.'),
    rawBytes: content.length,
    gzipBytes: gzipSync(content, { level: 9 }).length,
    brotliBytes: brotliCompressSync(content).length,
  };
}

function totalOf(parts: readonly Part[]): Part {
  const sum = (pick: (part: Part) => number): number => parts.reduce((total, part) => total + pick(part), 0);
  return {
    name: 'total',
    rawBytes: sum((part) => part.rawBytes),
    gzipBytes: sum((part) => part.gzipBytes),
    brotliBytes: sum((part) => part.brotliBytes),
  };
}

function print(parts: readonly Part[]): void {
  const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`.padStart(10);
  console.log(
    `${'bundle size'.padEnd(24)}${'raw'.padStart(10)}${'gzip'.padStart(10)}${'brotli'.padStart(10)}`,
  );
  for (const { name, rawBytes, gzipBytes, brotliBytes } of parts) {
    console.log(`${name.padEnd(24)}${kilobytes(rawBytes)}${kilobytes(gzipBytes)}${kilobytes(brotliBytes)}`);
  }
}

const parts = await bundle();
const total = totalOf(parts);
print([...parts, total]);
if (total.gzipBytes > GZIP_BUDGET_BYTES) {
  console.error(`${total.gzipBytes} bytes gzipped are over the budget of ${GZIP_BUDGET_BYTES}`);
  process.exitCode = 1;
}

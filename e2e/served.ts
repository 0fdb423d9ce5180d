/** Builds and serves a page that a test drives from outside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

export interface ServedPage {
  url: string;
  /** Paths that have been asked for. */
  requested: string[];
  close(): void;
}

/** @param name of a folder beside this file @param headers sent with everything @param missing paths that are not found */
export async function servePage(
  name: string,
  headers: Record<string, string> = {},
  missing?: RegExp,
): Promise<ServedPage> {
  const folder = mkdtempSync(join(tmpdir(), `isovec-${name}-`));
  const requested: string[] = [];
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  await build({
    configFile: false,
    root: here(name),
    base: './',
    logLevel: 'error',
    resolve: { alias: { isovec: here('../dist/index.js') } },
    worker: { format: 'es' },
    build: { outDir: folder, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0 },
  });
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const type = { 'content-type': CONTENT_TYPES[extname(path)] ?? 'text/plain' };
    requested.push(path);
    readFile(join(folder, missing?.test(path) ? 'missing' : path)).then(
      (body) => response.writeHead(200, { ...headers, ...type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/index.html`,
    requested,
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

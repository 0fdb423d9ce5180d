/** Serves the page that will be killed, and hears what it says. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { OpenOptions } from '../../src/base/api.ts';
import { Expected, settle } from './expected.ts';
import type { Found } from './found.ts';

export interface PageTask {
  storage: 'opfs' | 'indexeddb';
  seed: number;
  options: OpenOptions;
  overlap: number;
  /** How often the page terminates its worker. 0: it works until it is killed. */
  terminations: number;
  /** How many steps it does at most before it does, and how long it waits at most in the last one. */
  stepsMax: number;
  delayMsMax: number;
}

export type Said =
  | { what: 'found'; found: Found[]; warnings: string[] }
  | { what: 'begun'; index: number; kind: string }
  | { what: 'acknowledged'; index: number }
  | { what: 'finished' }
  | { what: 'failed'; why: string };

/** Steps after which all before them is on the device, whatever the durability. */
const FLUSHING = new Set(['flush', 'checkpoint']);

/** One database, and all that has been said of it. */
export class Line {
  readonly task: PageTask;
  readonly #expected = new Expected();
  readonly #underWay = new Map<number, string>();
  readonly #onChecked: (operation: string, survived: boolean) => void;
  #session = '';
  #checked = 0;
  #begun = 0;
  /** How many steps must be there whatever happens. */
  #promised = 0;
  /** Steps begun in this session. */
  begunNow = 0;
  /** Sessions of pages that have found everything. */
  sessions = 0;
  isFinished = false;
  failure: Error | undefined;

  /** @param onChecked called with what was under way when a page ended, and whether the next has found all there */
  constructor(task: PageTask, onChecked: (operation: string, survived: boolean) => void) {
    this.task = task;
    this.#onChecked = onChecked;
  }

  /** @throws what is wrong with what was found */
  hear(session: string, said: Said): { start: number } {
    if (said.what === 'found') this.#hearFound(session, said.found, said.warnings);
    // What a killed page has said may arrive late.
    if (session !== this.#session) return { start: this.#checked };
    if (said.what === 'begun') {
      this.#begun = said.index + 1;
      this.begunNow++;
      this.#underWay.set(said.index, said.kind);
    } else if (said.what === 'acknowledged') {
      const kind = this.#underWay.get(said.index) ?? '';
      this.#underWay.delete(said.index);
      if (!this.#mayLoseRelaxed || FLUSHING.has(kind)) this.#promised = said.index + 1;
    } else if (said.what === 'finished') this.isFinished = true;
    return { start: this.#checked };
  }

  #hearFound(session: string, found: Found[], warnings: string[]): void {
    const { seed } = this.task;
    try {
      this.#checked = settle(this.#expected, seed, this.#checked, this.#promised, this.#begun, found);
    } catch (error) {
      this.#onChecked(this.operation, false);
      throw new Error(`${error}; opening had warned: ${warnings.join('; ') || 'nothing'}`, { cause: error });
    }
    if (this.sessions > 0) this.#onChecked(this.operation, true);
    this.#underWay.clear();
    this.#promised = this.#checked;
    this.#begun = this.#checked;
    this.#session = session;
    this.begunNow = 0;
    this.sessions++;
  }

  /** IndexedDB holds what is not flushed in the worker's memory, so a kill takes the last `syncInterval` with it. */
  get #mayLoseRelaxed(): boolean {
    const { storage, options } = this.task;
    return storage === 'indexeddb' && options.durability === 'relaxed';
  }

  get operation(): string {
    const [oldest] = this.#underWay.values();
    return oldest ?? 'between two steps';
  }
}

export class PageServer {
  readonly lines = new Map<string, Line>();
  readonly #folder: string;
  readonly #server: Server;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  /** @param folder is where the built page goes */
  static async start(folder: string): Promise<PageServer> {
    await build({
      configFile: false,
      root: fileURLToPath(new URL('page', import.meta.url)),
      base: './',
      logLevel: 'error',
      resolve: { alias: { isovec: fileURLToPath(new URL('../../dist/index.js', import.meta.url)) } },
      worker: { format: 'es' },
      build: { outDir: folder, target: 'es2022', assetsInlineLimit: 0 },
    });
    const server = new PageServer(folder);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  url(line: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/index.html?line=${line}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; type: string; body: string | Buffer }> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method !== 'POST') {
      const body = await readFile(join(this.#folder, url.pathname));
      return { status: 200, type: CONTENT_TYPES[extname(url.pathname)] ?? 'text/plain', body };
    }
    const line = this.lines.get(url.searchParams.get('line') ?? '')!;
    const body = await textOf(request);
    const answer = url.pathname === '/task' ? line.task : this.#hear(line, url, JSON.parse(body) as Said);
    return { status: 200, type: 'application/json', body: JSON.stringify(answer) };
  }

  #hear(line: Line, url: URL, said: Said): { start: number } {
    try {
      if (said.what === 'failed') throw new Error(`the page failed: ${said.why}`);
      return line.hear(url.searchParams.get('session') ?? '', said);
    } catch (error) {
      line.failure ??= error as Error;
      throw error;
    }
  }
}

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** isovec in a page of its own Chromium, its files in OPFS, its engine in a worker; or with its caller in one worker. */
import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright';
import { build, type InlineConfig, type Plugin, type PreviewServer, preview } from 'vite';
import { browserLaunchOptions } from '../scripts/browser.ts';
import type { MainThreadReport } from './chromium/main-thread.ts';
import { baseFile, DATASETS, type DatasetName, queryFile } from './datasets/dataset.ts';
import type { Contestant, Footprint, SearchPass } from './engine.ts';
import type { Quantization } from './engines/isovec.ts';
import { benchFolder, dataFolder } from './folders.ts';

let profiles = 0;

export class ChromiumContestant implements Contestant {
  readonly name: string;
  readonly #quantization: Quantization;
  readonly #isInOwnWorker: boolean;
  /** A profile on disk: an incognito page would keep its files in memory. */
  readonly #profile = join(dataFolder, `chromium-${process.pid}-${++profiles}`);
  #server: PreviewServer | undefined;
  #browser: BrowserContext | undefined;
  #page: Page | undefined;

  /** @param isInOwnWorker whether all happens in a worker of the page's own */
  constructor(quantization: Quantization = 'none', isInOwnWorker = false) {
    this.#quantization = quantization;
    this.#isInOwnWorker = isInOwnWorker;
    const place = isInOwnWorker ? 'isovec-chromium-worker' : 'isovec-chromium';
    this.name = quantization === 'none' ? place : `${place}-${quantization}`;
  }

  async start(data: DatasetName, count: number): Promise<void> {
    const { dimensions } = await DATASETS[data]();
    this.#server = await servePage(data, count * dimensions * Float32Array.BYTES_PER_ELEMENT);
    this.#browser = await chromium.launchPersistentContext(this.#profile, browserLaunchOptions);
    this.#page = await this.#browser.newPage();
    const query = this.#isInOwnWorker ? '?own-worker' : '';
    await this.#page.goto(`${this.#server.resolvedUrls?.local[0] ?? ''}${query}`);
    await this.#page.waitForFunction(() => window.bench !== undefined);
    await this.#page.evaluate(([given, kind]) => window.bench.start(given, kind), [
      dimensions,
      this.#quantization,
    ] as const);
  }

  add(from: number, to: number): Promise<number> {
    return this.#opened().evaluate(([first, end]) => window.bench.add(first, end), [from, to] as const);
  }

  search(ef: number): Promise<SearchPass> {
    return this.#opened().evaluate((candidates) => window.bench.search(candidates), ef);
  }

  searchMany(ef: number): Promise<number | undefined> {
    return this.#opened().evaluate((candidates) => window.bench.searchMany(candidates), ef);
  }

  reopen(): Promise<number | undefined> {
    return this.#opened().evaluate(() => window.bench.reopen());
  }

  footprint(): Promise<Footprint> {
    return this.#opened().evaluate(() => window.bench.footprint());
  }

  /** Adds the first `count` vectors while watching the page's main thread. */
  watchAdding(count: number): Promise<MainThreadReport> {
    return this.#opened().evaluate((rows) => window.bench.watchAdding(rows), count);
  }

  async stop(): Promise<void> {
    await this.#page?.evaluate(() => window.bench.close());
    await this.#browser?.close();
    await this.#server?.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }

  #opened(): Page {
    if (this.#page === undefined) throw new Error('start() comes first');
    return this.#page;
  }
}

/** Bundled as for production, so that opening loads as few files as it would there. */
async function servePage(data: DatasetName, baseBytes: number): Promise<PreviewServer> {
  const page: InlineConfig = {
    configFile: false,
    root: join(benchFolder, 'chromium'),
    logLevel: 'error',
    // isovec's own can be split then, and one of the page's must be.
    worker: { format: 'es' },
    build: { outDir: join(dataFolder, 'chromium-page'), emptyOutDir: true },
  };
  await build(page);
  return preview({
    ...page,
    plugins: [serveVectors(data, baseBytes)],
    preview: {
      host: '127.0.0.1',
      port: 0,
      // An isolated page gets the finer clock.
      headers: {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      },
    },
  });
}

/** Serves the data files: `/vectors/base`, as far as it is wanted, and `/vectors/queries`. */
function serveVectors(data: DatasetName, baseBytes: number): Plugin {
  return {
    name: 'serve-vectors',
    configurePreviewServer(server) {
      server.middlewares.use('/vectors', (request, response) => {
        const isBase = request.url === '/base';
        const stream = isBase
          ? createReadStream(baseFile(data), { end: baseBytes - 1 })
          : createReadStream(queryFile(data));
        stream.pipe(response);
      });
    },
  };
}

/** The page's side of the embedding workers: one queue, questions before passages. */
import type { EmbedderRequest, EmbedderResponse } from './embedder.worker.ts';

/** More than this makes passages wait for memory rather than for arithmetic: each worker holds the model. */
const WORKERS_MAX = 4;

export interface Embedding {
  vector: Float32Array;
  /** In the worker, without the time spent waiting. */
  milliseconds: number;
}

export interface EmbedOptions {
  /** A question goes before every passage that waits. Default 'passage'. */
  kind?: 'question' | 'passage';
  /** Takes the text out of the queue if it still waits there; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

interface Job {
  text: string;
  signal: AbortSignal | undefined;
  resolve: (embedding: Embedding) => void;
  reject: (reason: unknown) => void;
}

export class Embedder {
  readonly #questions: Job[] = [];
  readonly #passages: Job[] = [];
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, Job>();
  readonly #folder: string;
  /** Resolves when the model can embed; rejects when it cannot be loaded. */
  readonly loaded: Promise<void>;
  #isLoaded = false;
  #passagesEmbedded = 0;

  /** @param folder absolute URL of the model's files, ending in a slash */
  constructor(folder: string) {
    this.#folder = folder;
    this.loaded = this.#startWorker();
    this.loaded.then(() => this.#startOthers()).catch(() => {});
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Passages (not questions) embedded since the page was loaded. */
  get passagesEmbedded(): number {
    return this.#passagesEmbedded;
  }

  embed(text: string, { kind = 'passage', signal }: EmbedOptions = {}): Promise<Embedding> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      const queue = kind === 'question' ? this.#questions : this.#passages;
      queue.push({ text, signal, resolve, reject });
      this.#next();
    });
  }

  /** Gives waiting texts to idle workers. */
  #next(): void {
    while (this.#idle.length > 0) {
      const isQuestion = this.#questions.length > 0;
      const job = this.#questions.shift() ?? this.#passages.shift();
      if (!job) return;
      if (job.signal?.aborted) continue;
      if (!isQuestion) this.#passagesEmbedded++;
      const worker = this.#idle.pop()!;
      this.#running.set(worker, job);
      post(worker, { text: job.text });
    }
  }

  /** Only when the first has loaded, so that the model is then in the cache; half of the cores stay free. */
  #startOthers(): void {
    this.#isLoaded = true;
    const count = Math.min(WORKERS_MAX, Math.floor(navigator.hardwareConcurrency / 2));
    for (let started = 1; started < count; started++) this.#startWorker().catch(() => {});
  }

  #startWorker(): Promise<void> {
    const worker = new Worker(new URL('./embedder.worker.ts', import.meta.url), {
      type: 'module',
      name: this.#folder,
    });
    return new Promise((resolve, reject) => {
      worker.addEventListener('message', ({ data }: MessageEvent<EmbedderResponse>) => {
        if (data.kind === 'loaded') resolve();
        if (data.kind === 'failed' && !this.#running.has(worker)) return reject(new Error(data.message));
        this.#settle(worker, data);
        this.#idle.push(worker);
        this.#next();
      });
      worker.addEventListener('error', ({ message }) =>
        reject(new Error(message || 'the worker did not start')),
      );
    });
  }

  #settle(worker: Worker, response: EmbedderResponse): void {
    const job = this.#running.get(worker);
    this.#running.delete(worker);
    if (response.kind === 'vector') job?.resolve(response);
    if (response.kind === 'failed') job?.reject(new Error(response.message));
  }
}

function post(worker: Worker, request: EmbedderRequest): void {
  worker.postMessage(request);
}

/**
 * A client that only reads: it never writes, and nobody waits for it. Where there is a writer, that is asked, so what
 * is read is what is committed. Where there is none, or none that gives a sign of life, the files are read here.
 */
import { pause } from '../base/abort.ts';
import { type ErrorImage, errorCodeOf } from '../base/errors.ts';
import type { LocalDatabase } from '../store/database.ts';
import { openedReadOnly } from '../store/engine.ts';
import { openLocal } from '../store/open.ts';
import { createUuid } from '../store/uuid.ts';
import type { Answer, Call, CollectionMethod, DatabaseMethod } from './protocol.ts';
import { CallServer } from './server.ts';
import type { DatabaseMessage } from './tab-protocol.ts';
import type { TabRouterParts } from './tab-router.ts';
import type { LocalSide, Routing, Serving } from './tab-side.ts';

const CHANGING_METHODS = new Set<DatabaseMethod | CollectionMethod>([
  'dropCollection',
  'checkpoint',
  'pauseIndexing',
  'resumeIndexing',
  'compact',
  'repair',
  'setQuantization',
  'setSchema',
]);

/** After so many attempts in a row to open the files, those who wait are told. */
const FAILURES_MAX = 3;
const RETRY_MS = 100;

interface Reading extends Serving {
  database: LocalDatabase;
  server: CallServer;
}

export class ReadingSide implements LocalSide {
  readonly clientCount = 0;
  readonly #parts: TabRouterParts;
  readonly #routing: Routing;
  /** There is no writer to ask. */
  #isAlone = false;
  #reading: Reading | undefined;
  /** Opening the files; aborted when a writer is heard. */
  #loading: AbortController | undefined;
  #failures = 0;
  /** Ids of calls that have been answered with an error of the files, and are asked once more. */
  readonly #repeated = new Set<number>();
  /** There is somebody to ask, or this client leaves. */
  #goOn = () => {};
  /** Openings and closings, one after the other. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(parts: TabRouterParts, routing: Routing) {
    this.#parts = parts;
    this.#routing = routing;
  }

  get serving(): Serving | undefined {
    return this.#reading;
  }

  get isLoading(): boolean {
    return this.#loading !== undefined;
  }

  admit(call: Call): Call {
    switch (call.type) {
      case 'write':
      case 'delete':
      case 'begin':
        throw openedReadOnly();
      case 'database':
      case 'collection':
        if (CHANGING_METHODS.has(call.method)) throw openedReadOnly();
        return call;
      case 'openCollection':
        return { ...call, isReadOnly: true };
      default:
        return call;
    }
  }

  async takePart(leaving: AbortSignal): Promise<void> {
    this.#routing.startWaiting();
    while (!leaving.aborted) {
      const heard = new Promise<void>((resolve) => {
        this.#goOn = resolve;
      });
      try {
        // The first turn tells that the writer has gone; the second comes behind those who wait to write.
        await this.#haveTurn(leaving, () => {});
        await this.#haveTurn(leaving, () => {
          // Beside one that was not heard, what is read may be outdated.
          this.#isAlone = false;
          this.#stop();
          this.goOnAlone();
        });
      } catch (error) {
        if (leaving.aborted) return;
        this.#routing.warn(errorCodeOf(error), `whether anybody writes cannot be known: ${error}`);
        this.goOnAlone();
      }
      await heard;
    }
  }

  async end(): Promise<void> {
    this.#isAlone = false;
    this.#stop();
    this.#goOn();
    await this.#work;
  }

  hear(message: DatabaseMessage): void {
    if (!this.#isAlone) return;
    // One that is not ready has committed nothing yet.
    if (message.type === 'writer' && message.isReady) {
      this.#isAlone = false;
      this.#stop();
      this.#goOn();
    } else if (message.type === 'event') this.#routing.post({ type: 'seek' });
  }

  goOnAlone(): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    this.#routing.forgetWriter();
    this.wake();
  }

  wake(): void {
    if (!this.#isAlone || this.#reading || this.#loading || !this.#routing.isAwaited) return;
    const loading = new AbortController();
    this.#loading = loading;
    this.#work = this.#work.then(() => this.#load(loading));
  }

  /** For a moment nobody can write. */
  async #haveTurn(leaving: AbortSignal, run: () => void): Promise<void> {
    const { storage, location } = this.#parts;
    const held = await storage.locks!.acquire(location, {
      timeoutMs: Number.POSITIVE_INFINITY,
      signal: leaving,
    });
    run();
    await held.release();
  }

  async #load(loading: AbortController): Promise<void> {
    const { platform, location, options } = this.#parts;
    const { signal } = loading;
    try {
      const database = await openLocal(platform, location, {
        ...options,
        signal,
        onProgress: (payload) => this.#routing.tell({ event: 'progress', payload }),
      });
      if (signal.aborted) await database.close();
      else this.#read(database);
    } catch (error) {
      if (!signal.aborted) this.#fail(error, signal);
    }
  }

  #read(database: LocalDatabase): void {
    this.#loading = undefined;
    this.#failures = 0;
    const server = new CallServer(database);
    const reading: Reading = {
      database,
      server,
      term: createUuid(),
      answer: async (id, call) => this.#judge(reading, id, await server.answer(id, call)),
      abort: (id) => server.abort(id),
    };
    this.#reading = reading;
    database.on('warning', (payload) => this.#routing.tell({ event: 'warning', payload }));
    this.#routing.begin('follower');
  }

  /** Files may vanish while they are read: then a writer has been there, heard or not. */
  #judge(reading: Reading, id: number, answer: Answer<unknown>): Answer<unknown> | undefined {
    if (!answer.ok) {
      if (this.#reading !== reading) return undefined;
      if (isOfFiles(answer.error) && !this.#repeated.has(id)) {
        this.#repeated.add(id);
        this.#stop();
        this.wake();
        return undefined;
      }
    }
    this.#repeated.delete(id);
    return answer;
  }

  #stop(): void {
    this.#loading?.abort();
    this.#loading = undefined;
    const reading = this.#reading;
    if (!reading) return;
    this.#reading = undefined;
    reading.server.end();
    this.#work = this.#work.then(() => reading.database.close()).catch(() => {});
  }

  async #fail(error: unknown, signal: AbortSignal): Promise<void> {
    if (this.#routing.failOpening(error)) return;
    if (++this.#failures < FAILURES_MAX) await pause(RETRY_MS * 2 ** this.#failures, signal);
    else {
      this.#failures = 0;
      this.#routing.failCalls(error);
    }
    if (signal.aborted) return;
    this.#loading = undefined;
    this.wake();
  }
}

function isOfFiles({ code, details }: ErrorImage): boolean {
  return (
    code === 'CORRUPTION' || code === 'STORAGE_IO' || (code === 'NOT_FOUND' && details?.file !== undefined)
  );
}

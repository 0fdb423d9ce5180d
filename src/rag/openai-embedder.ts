import { aborted, checkNotAborted, pause } from '../base/abort.ts';
import { type ErrorCode, IsovecError } from '../base/errors.ts';
import {
  aBoolean,
  aName,
  anInteger,
  aString,
  aWebAddress,
  aWholeNumber,
  type Checks,
  checkFields,
  dimensions,
  optional,
  prefixes,
  strings,
} from './check.ts';
import { checkVectors } from './check-vectors.ts';
import type { Embedder, TextPrefixes } from './embedder.ts';

export interface OpenAIOptions {
  /** 'text-embedding-3-small', or what your server calls its model. */
  model: string;
  /** Length of the model's vectors. */
  dimensions: number;
  /** Ask the server for vectors of this length, which few models can shorten theirs to. Default false. */
  requestDimensions?: boolean;
  /** Where `/embeddings` is. Default 'https://api.openai.com/v1'. */
  baseUrl?: string;
  /** Sent as a bearer token. Not for pages that others load: whoever loads them can read it. */
  apiKey?: string;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** What is put before documents and queries. Default: nothing. */
  prefixes?: TextPrefixes;
  /** Texts in one request at most. Default 128. */
  batchSize?: number;
  /** How often a request is tried again when the server is busy (429), fails (5xx), or is not reached. Default 5. */
  retriesMax?: number;
  /** How long one try may take. Default 60,000. */
  timeoutMs?: number;
  /** Default: the model's name and dimensions, and the prefixes. */
  fingerprint?: string;
}

const BATCH_TEXTS = 128;
const RETRIES_MAX = 5;
const TIMEOUT_MS = 60_000;
/** The first pause between two tries; each is twice the one before, more or less by a quarter at random. */
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 30_000;
/** A server that wants a longer pause than this is not waited for. */
const RETRY_AFTER_MS_MAX = 120_000;
/** Timers hold no more. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;
/** Of a server's answer, in an error's message. */
const EXCERPT_CHARACTERS = 300;

const OPTIONS: Checks<OpenAIOptions> = {
  model: aName,
  dimensions,
  requestDimensions: optional(aBoolean),
  baseUrl: optional(aWebAddress),
  apiKey: optional(aString),
  headers: optional(strings),
  prefixes: optional(prefixes),
  batchSize: optional(aWholeNumber(1)),
  retriesMax: optional(aWholeNumber(0)),
  timeoutMs: optional(anInteger(1, TIMEOUT_MS_MAX)),
  fingerprint: optional(aName),
};

/**
 * Any server that speaks OpenAI's embeddings API: OpenAI, Azure, Mistral, Ollama, LM Studio, llama.cpp, vLLM and others.
 * https://platform.openai.com/docs/api-reference/embeddings
 *
 * Its `embed` fails with INVALID_ARGUMENT when the server refuses a request (4xx), QUOTA_EXCEEDED and STORAGE_IO when it
 * stays busy, failing or out of reach, DIMENSION_MISMATCH and STORAGE_IO when its answer is not what was asked for, and
 * ABORTED. `details` has `status`, `url` and `attempts`.
 * @throws IsovecError INVALID_ARGUMENT for options that are none, or out of range
 */
export function openAIEmbedder(options: OpenAIOptions): Embedder {
  checkFields(options, 'options', OPTIONS);
  const { model, dimensions, prefixes = {}, batchSize = BATCH_TEXTS } = options;
  const { fingerprint = fingerprintOf(options) } = options;
  const server = new EmbeddingServer(options);
  return {
    fingerprint,
    dimensions,
    async embed(texts, { signal, purpose = 'document' } = {}) {
      const prefix = prefixes[purpose] ?? '';
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += batchSize) {
        const batch = texts.slice(at, at + batchSize).map((text) => prefix + text);
        const received = await server.embed(batch, signal);
        checkVectors(received, batch.length, dimensions, `the model ${model}`);
        vectors.push(...received);
      }
      return vectors;
    },
  };
}

function fingerprintOf({ model, dimensions, prefixes = {} }: OpenAIOptions): string {
  const texts = [prefixes.document, prefixes.query].map((prefix = '') => JSON.stringify(prefix));
  return ['openai', model, dimensions, ...texts].join(' ');
}

/** What became of one try. */
type Outcome =
  | { vectors: Float32Array[] }
  | { failure: IsovecError; isFinal: boolean; retryAfterMs?: number | undefined };

class EmbeddingServer {
  readonly #url: string;
  readonly #options: OpenAIOptions;

  constructor(options: OpenAIOptions) {
    const { baseUrl = 'https://api.openai.com/v1' } = options;
    this.#url = `${baseUrl.replace(/\/+$/, '')}/embeddings`;
    this.#options = options;
  }

  async embed(texts: string[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    const { retriesMax = RETRIES_MAX } = this.#options;
    for (let attempt = 1; ; attempt++) {
      checkNotAborted(signal);
      const outcome = await this.#try(texts, signal, attempt);
      if ('vectors' in outcome) return outcome.vectors;
      const { failure, isFinal, retryAfterMs = backOffMs(attempt) } = outcome;
      if (isFinal || attempt > retriesMax || retryAfterMs > RETRY_AFTER_MS_MAX) throw failure;
      await pause(retryAfterMs, signal);
    }
  }

  async #try(texts: string[], signal: AbortSignal | undefined, attempts: number): Promise<Outcome> {
    try {
      const response = await this.#post(texts, signal);
      if (!response.ok) return await this.#failed(response, attempts);
      return this.#read(await response.json(), attempts);
    } catch (cause) {
      if (signal?.aborted) throw aborted(signal);
      const message = `${this.#url} did not answer: ${cause instanceof Error ? cause.message : cause}`;
      return { failure: this.#error('STORAGE_IO', message, { attempts }, cause), isFinal: false };
    }
  }

  #post(input: string[], signal: AbortSignal | undefined): Promise<Response> {
    const { model, dimensions, requestDimensions, apiKey, headers, timeoutMs = TIMEOUT_MS } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    return fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey && { authorization: `Bearer ${apiKey}` }),
        ...headers,
      },
      body: JSON.stringify({
        model,
        input,
        encoding_format: 'float',
        ...(requestDimensions && { dimensions }),
      }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  }

  async #failed(response: Response, attempts: number): Promise<Outcome> {
    const { status } = response;
    const answer = (await response.text()).slice(0, EXCERPT_CHARACTERS);
    const isBusy = status === 429;
    const isFinal = !isBusy && status !== 408 && status < 500;
    const code = isFinal ? 'INVALID_ARGUMENT' : isBusy ? 'QUOTA_EXCEEDED' : 'STORAGE_IO';
    const failure = this.#error(code, `${this.#url} answered ${status}: ${answer}`, { status, attempts });
    return { failure, isFinal, retryAfterMs: retryAfterMs(response.headers) };
  }

  #read(answer: unknown, attempts: number): Outcome {
    const data = (answer as { data?: unknown } | null)?.data;
    if (Array.isArray(data) && data.every(isEmbedding)) {
      const inOrder = data.toSorted((a, b) => a.index - b.index);
      return { vectors: inOrder.map(({ embedding }) => Float32Array.from(embedding)) };
    }
    const excerpt = JSON.stringify(answer).slice(0, EXCERPT_CHARACTERS);
    const message = `${this.#url} answered with something else than embeddings: ${excerpt}`;
    return { failure: this.#error('STORAGE_IO', message, { attempts }), isFinal: true };
  }

  #error(code: ErrorCode, message: string, details: Record<string, unknown>, cause?: unknown): IsovecError {
    return new IsovecError(code, message, {
      details: { url: this.#url, ...details },
      ...(cause !== undefined && { cause }),
    });
  }
}

function isEmbedding(value: unknown): value is { index: number; embedding: number[] } {
  const { index, embedding } = (value ?? {}) as { index?: unknown; embedding?: unknown };
  return Number.isInteger(index) && Array.isArray(embedding) && embedding.every(Number.isFinite);
}

/** As RFC 9110 has it, in seconds or as a date; OpenAI's own header is finer. */
function retryAfterMs(headers: Headers): number | undefined {
  const inMs = headers.get('retry-after-ms');
  if (inMs !== null && Number.isFinite(Number(inMs))) return Number(inMs);
  const given = headers.get('retry-after');
  if (given === null) return undefined;
  const ms = Number.isFinite(Number(given)) ? Number(given) * 1000 : Date.parse(given) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function backOffMs(attempt: number): number {
  const randomly = 0.75 + Math.random() / 2;
  return Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** (attempt - 1)) * randomly;
}

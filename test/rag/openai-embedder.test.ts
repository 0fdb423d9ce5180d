import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { OpenAIOptions } from '../../src/rag/openai-embedder.ts';
import { openAIEmbedder } from '../../src/rag/openai-embedder.ts';

interface Request {
  headers: IncomingHttpHeaders;
  path: string | undefined;
  body: { input: string[]; model: string; dimensions?: number };
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that answers with each of `answers`, and then with what was asked for; `undefined` cuts the connection. */
async function serve(...answers: (Answer | 'hang' | undefined)[]) {
  const requests: Request[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const received = { headers: request.headers, path: request.url, body: JSON.parse(text) };
    requests.push(received);
    const answer = answers.length > 0 ? answers.shift() : { status: 200, body: embeddings(received) };
    if (answer === 'hang') return;
    if (!answer) return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const embedder = (options: Partial<OpenAIOptions> = {}) =>
    openAIEmbedder({ model: 'm', dimensions: 2, baseUrl, ...options });
  return { requests, baseUrl, embedder };
}

/** Each text's length and first character; in another order, as a server may. */
function embeddings({ body }: Request): unknown {
  const data = body.input.map((text, index) => ({ index, embedding: [text.length, text.charCodeAt(0)] }));
  return { object: 'list', data: data.reverse() };
}

const vector = (text: string): Float32Array => Float32Array.of(text.length, text.charCodeAt(0));
const SOON = { 'retry-after-ms': '1' };
const BUSY: Answer = { status: 429, headers: SOON, body: { error: { message: 'slow down' } } };

describe('an embedder of an OpenAI-compatible server', () => {
  it('asks for batches, with its key, and gives vectors in the order of the texts', async () => {
    const { requests, embedder } = await serve();
    const texts = ['a', 'bb', 'ccc', 'dddd', 'eeeee'];
    const vectors = await embedder({ batchSize: 2, apiKey: 'secret', headers: { 'x-one': '1' } }).embed(
      texts,
    );
    expect(vectors).toEqual(texts.map(vector));
    expect(requests.map(({ body }) => body.input)).toEqual([['a', 'bb'], ['ccc', 'dddd'], ['eeeee']]);
    expect(requests[0]).toMatchObject({
      path: '/v1/embeddings',
      headers: { authorization: 'Bearer secret', 'x-one': '1', 'content-type': 'application/json' },
      body: { model: 'm' },
    });
    expect(requests[0]!.body).not.toHaveProperty('dimensions');
    expect(await embedder().embed([])).toEqual([]);
  });

  it('asks for dimensions, and puts prefixes before texts, where it is told so', async () => {
    const { requests, embedder } = await serve();
    const prefixed = embedder({ requestDimensions: true, prefixes: { query: 'query: ' } });
    expect(await prefixed.embed(['x'], { purpose: 'query' })).toEqual([vector('query: x')]);
    expect(await prefixed.embed(['x'])).toEqual([vector('x')]);
    expect(requests[0]!.body.dimensions).toBe(2);
    expect(prefixed.fingerprint).not.toBe(embedder().fingerprint);
    expect(embedder({ fingerprint: 'mine' }).fingerprint).toBe('mine');
  });

  it.each([
    ['is busy', BUSY],
    ['fails', { status: 503, headers: SOON, body: 'down' }],
    ['cuts the connection', undefined],
    ['sends half an answer', { status: 200, body: '{"data": [' }],
  ])('tries again when the server %s', async (_, answer) => {
    const { requests, embedder } = await serve(answer, answer);
    expect(await embedder().embed(['a'])).toEqual([vector('a')]);
    expect(requests).toHaveLength(3);
  });

  it('waits as long as the server says, in seconds or until a time', async () => {
    const until = new Date(Date.now() + 3000).toUTCString();
    for (const retryAfter of ['1', until]) {
      const { embedder } = await serve({ ...BUSY, headers: { 'retry-after': retryAfter } });
      const start = performance.now();
      await embedder().embed(['a']);
      expect(performance.now() - start).toBeGreaterThan(900);
    }
  });

  it('gives up after as many tries as it may, or at once when it would have to wait for hours', async () => {
    const busy = await serve(BUSY, BUSY, BUSY);
    await expect(busy.embedder({ retriesMax: 2 }).embed(['a'])).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: expect.stringContaining('slow down'),
      details: { status: 429, attempts: 3, url: `${busy.baseUrl}/embeddings` },
    });
    const closed = await serve({ ...BUSY, headers: { 'retry-after': '7200' } });
    await expect(closed.embedder().embed(['a'])).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(closed.requests).toHaveLength(1);
    const down = await serve({ status: 500, body: '' });
    await expect(down.embedder({ retriesMax: 0 }).embed(['a'])).rejects.toMatchObject({ code: 'STORAGE_IO' });
  });

  it('does not try again what the server refuses, and never tells its key', async () => {
    const { requests, embedder } = await serve({ status: 401, body: { error: { message: 'wrong key' } } });
    const error = await embedder({ apiKey: 'secret' })
      .embed(['a'])
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('wrong key'),
      details: { status: 401 },
    });
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['no embeddings', { ok: true }, 'STORAGE_IO'],
    ['numbers that are none', { data: [{ index: 0, embedding: [1, null] }] }, 'STORAGE_IO'],
    ['too few', { data: [] }, 'DIMENSION_MISMATCH'],
    ['vectors of another length', { data: [{ index: 0, embedding: [1, 2, 3] }] }, 'DIMENSION_MISMATCH'],
  ])('refuses an answer of %s', async (_, body, code) => {
    const { embedder } = await serve({ status: 200, body });
    await expect(embedder().embed(['a'])).rejects.toMatchObject({ code });
  });

  it('ends a request, or a pause between two, when its signal is aborted, and one that takes too long', async () => {
    const hanging = await serve('hang', { ...BUSY, headers: { 'retry-after': '60' } });
    const stop = new AbortController();
    const request = hanging.embedder().embed(['a'], { signal: stop.signal });
    await expect.poll(() => hanging.requests.length).toBe(1);
    stop.abort();
    await expect(request).rejects.toMatchObject({ code: 'ABORTED' });
    const stopPause = new AbortController();
    const paused = hanging.embedder().embed(['a'], { signal: stopPause.signal });
    await expect.poll(() => hanging.requests.length).toBe(2);
    stopPause.abort();
    await expect(paused).rejects.toMatchObject({ code: 'ABORTED' });

    const slow = await serve('hang');
    await expect(slow.embedder({ timeoutMs: 50, retriesMax: 0 }).embed(['a'])).rejects.toMatchObject({
      code: 'STORAGE_IO',
    });
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Database, Query } from '../../../src/base/api.ts';
import type { MemoryFiles } from '../../../src/storage/memory.ts';
import { openLocal } from '../../../src/store/open.ts';
import { vectorOf } from '../fixture.ts';
import { memoryPlatform } from '../memory-platform.ts';

it('gives others a turn while one query follows another, all of them answered from memory', async () => {
  const database = await openLocal(memoryPlatform(new Map<string, MemoryFiles>()), 'turns', {});
  const collection = await database.collection('c', { dimensions: 8, index: { type: 'flat' } });
  await collection.insert(Array.from({ length: 500 }, (_, at) => ({ vector: vectorOf(at + 1, 8) })));
  let turns = 0;
  setImmediate(() => turns++);
  let asked = 0;
  while (turns === 0 && asked < 20_000) {
    await collection.query({ vector: vectorOf(asked, 8) });
    asked++;
  }
  expect(turns).toBe(1);
  expect(asked).toBeLessThan(20_000);
  await database.close();
});

/** Each look at the clock finds it this much later, so that turns are those of the work, not of the machine. */
const LOOK_MS = 1;

afterEach(() => void vi.restoreAllMocks());

/** What others of the thread get of it while a call is answered. */
class Turns {
  count = 0;
  readonly #platform = memoryPlatform(new Map<string, MemoryFiles>());
  #abort: { at: number; controller: AbortController } | undefined;

  async open(): Promise<Database> {
    let now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => {
      now += LOOK_MS;
      return now;
    });
    const { yieldTurn } = this.#platform;
    this.#platform.yieldTurn = (callback) => {
      this.count++;
      if (this.#abort && this.count >= this.#abort.at) this.#abort.controller.abort();
      yieldTurn(callback);
    };
    return openLocal(this.#platform, 'turns', {});
  }

  /** Aborted in the middle, the call has let go of the thread before it took it for as long again. */
  async expectBoth<T>(ask: (signal?: AbortSignal) => Promise<T>): Promise<T> {
    this.count = 0;
    const answer = await ask();
    const turns = this.count;
    expect(turns).toBeGreaterThanOrEqual(4);
    this.count = 0;
    const controller = new AbortController();
    this.#abort = { at: 2, controller };
    await expect(ask(controller.signal)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(this.count).toBeLessThan(turns / 2 + 2);
    this.#abort = undefined;
    return answer;
  }
}

describe('a query that takes long lets others have turns, and ends when it is aborted', () => {
  const numbered = (count: number) => Array.from({ length: count }, (_, at) => at);

  it('by words with mistakes, of a text as long as a book', async () => {
    const turns = new Turns();
    const database = await turns.open();
    const config = { dimensions: 1, text: { language: 'none' as const }, index: { type: 'flat' as const } };
    const collection = await database.collection('c', config);
    const word = (at: number) => ((at * 2_654_435_761) % 4_294_967_296).toString(36);
    const texts = numbered(8).map((part) =>
      numbered(1000)
        .map((at) => word(part * 1000 + at))
        .join(' '),
    );
    await collection.insert(texts.map((text) => ({ vector: [1], text })));
    await collection.query({ text: 'all is taken in' });
    for (const textOptions of [{ fuzzy: true }, { prefix: true, fuzzy: 2 as const }])
      await turns.expectBoth((signal) =>
        collection.query({ text: texts.slice(0, 2).join(' '), textOptions, ...(signal && { signal }) }),
      );
    await database.checkpoint();
    await turns.expectBoth((signal) =>
      collection.query({ text: texts[3]!, textOptions: { fuzzy: true }, ...(signal && { signal }) }),
    );
    await database.close();
  });

  it('by a text of 10 MB, in one of 10 MB', async () => {
    const turns = new Turns();
    const database = await turns.open();
    const collection = await database.collection('c', { dimensions: 1, text: true });
    const long = 'so many running words '.repeat(450_000);
    await collection.insert({ id: 'long', vector: [1], text: `${long} needle` });
    turns.count = 0;
    expect(await collection.query({ text: 'needle' })).toHaveLength(1);
    expect(turns.count).toBeGreaterThan(8);
    await turns.expectBoth((signal) => collection.query({ text: long, ...(signal && { signal }) }));
    const [hit] = await turns.expectBoth((signal) =>
      collection.query({ text: 'needle', include: ['highlights'], ...(signal && { signal }) }),
    );
    const start = long.length + 1;
    expect(hit!.highlights).toEqual([{ start, end: start + 'needle'.length }]);
    await database.close();
  }, 60_000);

  it('with hits that differ, or of many groups, or many', async () => {
    const turns = new Turns();
    const database = await turns.open();
    const collection = await database.collection('c', { dimensions: 64, index: { type: 'flat' } });
    const metadata = (at: number) => ({
      group: at % 2500,
      notes: numbered(20).map((each) => `${each} of ${at}`),
    });
    await collection.insert(
      numbered(8000).map((at) => ({ vector: vectorOf(at + 1, 64), metadata: metadata(at) })),
    );
    const query = { vector: vectorOf(1, 64), topK: 1500 };
    const ask = (more: Partial<Query>) => (signal?: AbortSignal) =>
      collection.query({ ...query, ...more, ...(signal && { signal }) });
    expect(await turns.expectBoth(ask({ diversity: 0.7 }))).toHaveLength(1500);
    expect(await turns.expectBoth(ask({ groupBy: 'group' }))).toHaveLength(1500);
    expect(await turns.expectBoth(ask({ topK: 8000 }))).toHaveLength(8000);
    await database.close();
  }, 60_000);
});

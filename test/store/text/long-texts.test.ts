import { expect, it } from 'vitest';
import type { MemoryFiles } from '../../../src/storage/memory.ts';
import { openLocal } from '../../../src/store/open.ts';
import { memoryPlatform } from '../memory-platform.ts';

/** Long enough to be taken in with turns for others in between. */
const long = (word: string) => `${'many other words '.repeat(60_000)}${word}`;

it('takes in long texts beside everything else, each once', async () => {
  const platform = memoryPlatform(new Map<string, MemoryFiles>());
  const database = await openLocal(platform, 'long', {});
  const collection = await database.collection('c', { dimensions: 1, text: true });
  const find = async (text: string) => (await collection.query({ text })).map(({ id }) => id);
  const numbers = Array.from({ length: 6 }, (_, at) => at);
  for (const round of numbers) {
    await collection.insert([
      { id: `long${round}`, vector: [1], text: long(`needle${round}`) },
      { id: `short${round}`, vector: [1], text: `pin${round} many` },
    ]);
    const asked = [find(`needle${round}`), find(`pin${round}`)];
    // While they are being taken in.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const writing = [
      collection.insert({ vector: [1], text: `late${round}` }),
      ...(round % 2 === 0 ? [database.checkpoint()] : [collection.delete(`short${round - 1}`)]),
      ...(round === 3 ? [database.compact()] : []),
    ];
    expect(await Promise.all(asked)).toEqual([[`long${round}`], [`short${round}`]]);
    await Promise.all(writing);
    expect(await find(`late${round}`)).toHaveLength(1);
  }
  for (const round of numbers) {
    expect(await find(`needle${round}`)).toEqual([`long${round}`]);
    expect(await find(`pin${round}`)).toEqual(round % 2 === 1 || round === 5 ? [`short${round}`] : []);
  }
  const [first] = await collection.query({ text: 'other', topK: 1 });
  await database.checkpoint();
  expect((await collection.query({ text: 'other', topK: 1 }))[0]!.score).toBe(first!.score);
  await database.close();
}, 60_000);

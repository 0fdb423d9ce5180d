import { expect, it } from 'vitest';
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

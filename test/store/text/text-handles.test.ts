import { expect, it } from 'vitest';
import type { MemoryFiles } from '../../../src/storage/memory.ts';
import { openLocal } from '../../../src/store/open.ts';
import { OpenHandles } from '../../storage/open-handles.ts';
import { memoryPlatform } from '../memory-platform.ts';

it.each([false, true])(
  'closes segments of texts that another writer has merged (opened with readOnly: %s)',
  async (readOnly) => {
    const files = new Map<string, MemoryFiles>();
    const handles = new OpenHandles();
    const isText = (name: string) => name.includes('text');
    const followed = memoryPlatform(files, (backend) => handles.of(backend));
    const writer = await openLocal(memoryPlatform(files), 'place', {});
    const collection = await writer.collection('c', { dimensions: 1, text: true });
    await collection.insert({ id: 'first', vector: [1], text: 'a quiet harbour' });
    await writer.checkpoint();
    const follower = await openLocal(followed, 'place', { readOnly });
    const there = await follower.collection('c');
    for (let round = 0; round < 12; round++) {
      await collection.insert({ vector: [1], text: `harbour number ${round}` });
      await writer.checkpoint();
      expect(await there.query({ text: 'harbour', topK: 100 })).toHaveLength(round + 2);
      const stored = [...files.get('place')!.keys()].filter(isText);
      await expect
        .poll(() => handles.names.filter((name) => isText(name) && !stored.includes(name)))
        .toEqual([]);
    }
    await follower.close();
    expect(handles.names).toEqual([]);
    await writer.close();
  },
);

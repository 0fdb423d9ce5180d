import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/base/crc32c.ts';
import type { LiveFile } from '../../src/journal/manifest.ts';
import { GRAPH_HEADER_BYTES, type VectorIndex } from '../../src/search/vector-index.ts';
import { MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import type { Engine } from '../../src/store/engine.ts';
import { copyGraph, readGraph, type StoredPages, storeGraph } from '../../src/store/graph-pages.ts';
import { makeIndex, saveGraph } from '../search/model.ts';
import { gaussian } from '../search/random.ts';

const CONFIG = { dimensions: 4, m: 4, efConstruction: 16 } as const;
const next = gaussian(1);
const VECTORS = Array.from({ length: 3000 }, () => Float32Array.from({ length: CONFIG.dimensions }, next));

/** What a manifest says of one graph. */
interface Named {
  file: string;
  live: LiveFile;
}

/** As much of an engine as storing a graph needs, whose manifests are kept. */
class Store {
  readonly storage = new MemoryBackend('graphs', new MemoryFiles(), false);
  named: Named | undefined;
  pages: StoredPages | undefined;
  #generation = 0;

  /** @param isCommitted false leaves it at what the last manifest says */
  async store(index: VectorIndex, isCommitted = true): Promise<Named> {
    const files = this.named ? { [this.named.file]: this.named.live } : {};
    const journal = { generation: this.#generation, files };
    const engine = { journal, storage: this.storage, checksum: 'crc32c', pause: async () => {} };
    const live: Record<string, LiveFile> = {};
    const state = { id: 1, graphPages: this.pages };
    const graph = index.readGraph!();
    const pages = await storeGraph(engine as unknown as Engine, state, graph, this.named?.file, live);
    const named = { file: pages.file, live: live[pages.file]! };
    if (isCommitted) {
      this.named = named;
      this.pages = pages;
      this.#generation++;
    }
    return named;
  }

  async load({ file, live }: Named): Promise<{ index: VectorIndex; pages: StoredPages | undefined }> {
    const index = makeIndex(CONFIG);
    const opened = await this.storage.open(file);
    const bytes = await opened.read(0, live.bytes);
    expect(crc32c(bytes).toString(16).padStart(8, '0')).toBe(live.digest.value);
    const pages = await readGraph(opened, live.bytes, index);
    for (const [row, vector] of VECTORS.entries()) if (index.has(row)) index.add(row, vector);
    return { index, pages };
  }
}

/** All but what loading rightly changes: the order of free slots and records. */
function answersOf(index: VectorIndex): unknown {
  return VECTORS.slice(0, 5).map((query) => index.search(query, 50, 60));
}

async function filled(count: number): Promise<VectorIndex> {
  const index = makeIndex(CONFIG);
  for (const [row, vector] of VECTORS.slice(0, count).entries()) index.add(row, vector);
  index.link(count);
  return index;
}

const step = fc.record({
  add: fc.nat(60),
  remove: fc.nat(40),
  isCommitted: fc.boolean(),
  isReopened: fc.boolean(),
});

describe('a graph stored by pages', () => {
  it('is the graph of each checkpoint, and of the one before it, whatever came between and whichever failed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(600), async (steps, first) => {
        const store = new Store();
        let index = await filled(first);
        let next = first;
        let before: { named: Named; answers: unknown } | undefined;
        for (const { add, remove, isCommitted, isReopened } of steps) {
          for (let count = 0; count < remove; count++) index.remove((count * 37 + next) % (next + 1));
          for (let count = 0; count < add && next < VECTORS.length; count++, next++)
            index.add(next, VECTORS[next]!);
          index.link(1000);
          const named = await store.store(index, isCommitted);
          const answers = answersOf(index);
          expect(answersOf((await store.load(named)).index)).toEqual(answers);
          // The next one writes behind it or elsewhere.
          if (before && before.named.file === store.named?.file)
            expect(answersOf((await store.load(before.named)).index)).toEqual(before.answers);
          if (isCommitted) before = { named, answers };
          if (!isReopened || !store.named) continue;
          const reopened = await store.load(store.named);
          store.pages = reopened.pages;
          index = reopened.index;
          for (let row = 0; row < next; row++) if (!index.has(row)) index.add(row, VECTORS[row]!);
        }
      }),
      { seed: 7, numRuns: 40 },
    );
  });

  it('takes little to store again after a small change, and nothing but a header after none', async () => {
    const store = new Store();
    const index = await filled(2000);
    const first = await store.store(index);
    const same = await store.store(index);
    expect(same.file).toBe(first.file);
    expect(same.live.bytes - first.live.bytes).toBeLessThan(GRAPH_HEADER_BYTES + 100);
    index.add(2000, VECTORS[2000]!);
    index.link(1);
    const changed = await store.store(index);
    expect(changed.file).toBe(first.file);
    expect(changed.live.bytes - same.live.bytes).toBeLessThan(first.live.bytes / 8);
  });

  it('is written anew, to another file, when the old one is half garbage or not what is known', async () => {
    const store = new Store();
    const index = await filled(1000);
    const { file, live } = await store.store(index);
    let now = { file, live };
    let next = 1000;
    while (now.file === file) {
      for (let count = 0; count < 50; count++, next++) {
        index.remove(next - 1000);
        index.add(next, VECTORS[next]!);
      }
      index.link(200);
      now = await store.store(index);
      expect(now.live.bytes).toBeLessThan(live.bytes * 3);
    }
    const again = await store.store(index);
    expect(again.file).toBe(now.file);
    store.pages = undefined;
    expect((await store.store(index)).file).not.toBe(now.file);
  });

  it('is refused with any page, table or header damaged', async () => {
    const store = new Store();
    const index = await filled(300);
    await store.store(index);
    for (let row = 300; row < 320; row++) index.add(row, VECTORS[row]!);
    index.link(20);
    const named = await store.store(index);
    const file = await store.storage.open(named.file);
    for (let at = 0; at < named.live.bytes; at += 61) {
      const [byte] = await file.read(at, 1);
      await file.write(at, Uint8Array.of(byte! ^ 16));
      const fresh = makeIndex(CONFIG);
      await expect(readGraph(file, named.live.bytes, fresh)).rejects.toMatchObject({ code: 'CORRUPTION' });
      expect(fresh.count).toBe(0);
      await file.write(at, Uint8Array.of(byte!));
    }
    await store.load(named);
  });

  it('can be copied from index to index', async () => {
    const index = await filled(500);
    const copy = makeIndex(CONFIG);
    copyGraph(index, copy);
    for (const [row, vector] of VECTORS.slice(0, 500).entries()) copy.add(row, vector);
    expect(saveGraph(copy)).toEqual(saveGraph(index));
  });
});

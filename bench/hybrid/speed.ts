/** BM25 over many passages: one engine, in a process of its own. Prints what was measured as JSON. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import MiniSearch from 'minisearch';
import { open } from '../../dist/index.node.js';
import { random } from '../datasets/random.ts';
import { passages } from './passages.ts';

const QUERIES = 200;
const TOP_K = 10;
const RECORDS_PER_BATCH = 500;
const SEED = 11;

export interface Speed {
  engine: string;
  buildMs: number;
  diskBytes: number;
  openMs: number;
  firstMs: number;
  heapBytes: number;
  p50Ms: number;
  p95Ms: number;
}

interface Engine {
  build(texts: readonly string[], file: string): Promise<void>;
  open(file: string): Promise<(text: string) => Promise<unknown>>;
}

const ENGINES: Record<string, Engine> = {
  isovec: {
    async build(texts, file) {
      const database = await open(file);
      const index = { type: 'flat' as const };
      const collection = await database.collection('passages', { dimensions: 1, index, text: true });
      for (let at = 0; at < texts.length; at += RECORDS_PER_BATCH) {
        const batch = texts.slice(at, at + RECORDS_PER_BATCH);
        await collection.insert(batch.map((text, index) => ({ id: `${at + index}`, vector: [1], text })));
      }
      await database.close();
    },
    async open(file) {
      const database = await open(file, { readOnly: true });
      const collection = await database.collection('passages');
      return (text) => collection.query({ text, topK: TOP_K, include: [] });
    },
  },
  minisearch: {
    async build(texts, file) {
      const search = new MiniSearch({ fields: ['text'] });
      search.addAll(texts.map((text, id) => ({ id, text })));
      writeFileSync(file, JSON.stringify(search));
    },
    async open(file) {
      const search = MiniSearch.loadJSON(readFileSync(file, 'utf8'), { fields: ['text'] });
      return async (text) => search.search(text).slice(0, TOP_K);
    },
  },
};

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'isovec' },
    count: { type: 'string', default: '100000' },
    step: { type: 'string', default: 'build' },
    file: { type: 'string', default: '' },
  },
});

function heapBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Two to four words of a passage, from anywhere in it. */
function queriesFrom(texts: readonly string[]): string[] {
  const next = random(SEED);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!;
  return Array.from({ length: QUERIES }, () => {
    const words = pick(texts).split(' ');
    return Array.from({ length: 2 + Math.floor(next() * 3) }, () => pick(words)).join(' ');
  });
}

async function measure(engine: Engine): Promise<unknown> {
  const texts = passages(Number(values.count));
  if (values.step === 'build') {
    const before = performance.now();
    await engine.build(texts, values.file);
    return { buildMs: performance.now() - before };
  }
  const queries = queriesFrom(texts);
  texts.length = 0;
  const heapBefore = heapBytes();
  const openStart = performance.now();
  const search = await engine.open(values.file);
  const openMs = performance.now() - openStart;
  const firstStart = performance.now();
  await search(queries[0]!);
  const firstMs = performance.now() - firstStart;
  const times: number[] = [];
  for (const query of queries) {
    const start = performance.now();
    await search(query);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!;
  return { openMs, firstMs, heapBytes: heapBytes() - heapBefore, p50Ms: at(0.5), p95Ms: at(0.95) };
}

console.log(JSON.stringify(await measure(ENGINES[values.engine]!)));
process.exit(0);

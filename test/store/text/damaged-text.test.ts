import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Database, OpenOptions } from '../../../src/base/api.ts';
import type { MemoryFiles } from '../../../src/storage/memory.ts';
import { openLocal } from '../../../src/store/open.ts';
import { copyOfFiles, memoryPlatform } from '../memory-platform.ts';
import { exactly, type Meaning, type ModelRecord, scoresOf } from './text-model.ts';
import { livesLikeModel } from './text-property.ts';

const files = new Map<string, MemoryFiles>();
const platform = memoryPlatform(files);
const opened: Database[] = [];
const open = async (location = 'text', options: OpenOptions = {}): Promise<Database> => {
  const database = await openLocal(platform, location, options);
  opened.push(database);
  return database;
};

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  files.clear();
});

const textFiles = (location = 'text'): string[] =>
  [...files.get(location)!.keys()].filter((name) => name.includes('-text-'));

/** @param at of the file's length */
function spoil(location: string, name: string, at: number): void {
  const content = files.get(location)!.get(name)!;
  const offset = Math.floor(at * (content.length - 1));
  content.write(
    offset,
    content.copy(offset, 1).map((byte) => byte ^ 0x55),
  );
}

const texts = ['one two three', 'two three four', 'three four five five', 'six'];

async function fill(location = 'text'): Promise<Database> {
  const database = await open(location);
  const collection = await database.collection('c', { dimensions: 1, text: { language: 'none' } });
  for (let round = 0; round < 40; round++) {
    const batch = texts.map((text, at) => ({
      id: `${round} ${at}`,
      vector: [1],
      text: `${text} word${round}`,
    }));
    await collection.insert(batch);
    if (round % 3 === 0) await database.checkpoint();
  }
  return database;
}

describe('a text index in files', () => {
  let locations = 0;

  it('ranks as BM25 does, also when its files are damaged or gone', () =>
    livesLikeModel({
      open: (location) => open(location),
      newLocation: () => `life${locations++}`,
      runs: 60,
      damage: (location) => {
        for (const [index, name] of textFiles(location).entries())
          if (index % 3 === 2) files.get(location)!.delete(name);
          else spoil(location, name, [0.05, 0.5, 0.99][(locations + index) % 3]!);
      },
    }));

  it('is read when it is wanted, and few files are kept', async () => {
    const database = await fill();
    await database.close();
    expect(textFiles().length).toBeLessThanOrEqual(6);
    const warnings: unknown[] = [];
    const again = await open();
    again.on('warning', (warning) => warnings.push(warning));
    const collection = await again.collection('c');
    const hits = await collection.query({ text: 'word7 six', topK: 3 });
    expect(hits.map(({ id }) => id)[0]).toBe('7 3');
    expect(warnings).toEqual([]);
    expect(await again.verify()).toMatchObject({ ok: true });
  });

  it('is made anew when any byte of it is damaged, with a warning, and verify tells', async () => {
    await (await fill()).close();
    const whole = files.get('text')!;
    const place = fc.double({ min: 0, max: 1, noNaN: true });
    const property = fc.asyncProperty(fc.constantFrom(...textFiles()), place, async (name, at) => {
      files.set('text', copyOfFiles(whole));
      spoil('text', name, at);
      const database = await open();
      const warnings: { code: string; message: string }[] = [];
      database.on('warning', (warning) => warnings.push(warning));
      const report = await database.verify();
      expect(report.problems.map(({ file }) => file)).toEqual([name]);
      const collection = await database.collection('c');
      for (let round = 0; round < 40; round++)
        expect(await collection.query({ text: `word${round}`, topK: 100 })).toHaveLength(4);
      expect(await collection.query({ text: 'five', topK: 1000 })).toHaveLength(40);
      for (const { code, message } of warnings) {
        expect(code).toBe('CORRUPTION');
        expect(message).toContain('the text index of "c"');
      }
      await database.repair();
      expect(await database.verify()).toMatchObject({ ok: true });
      await database.close();
    });
    await fc.assert(property, { numRuns: 40, seed: 20_261_121 });
  });

  it('is repaired', async () => {
    const database = await fill();
    await database.checkpoint();
    spoil('text', textFiles()[0]!, 0.5);
    expect(await database.verify()).toMatchObject({ ok: false });
    const { recordsLost } = await database.repair();
    expect(recordsLost).toEqual([]);
    expect(await database.verify()).toMatchObject({ ok: true });
    const collection = await database.collection('c');
    expect(await collection.query({ text: 'five', topK: 1000 })).toHaveLength(40);
  });

  it('has what is left of damaged records', async () => {
    await (await fill()).close();
    spoil('text', [...files.get('text')!.keys()].find((name) => name.includes('-records-'))!, 0.5);
    const database = await open('text', { recovery: 'salvage' });
    const collection = await database.collection('c');
    expect(await collection.query({ text: 'two three four six', topK: 1000 })).toHaveLength(159);
    const { recordsLost } = await database.repair();
    expect(recordsLost[0]!.ids).toHaveLength(1);
    const left = await collection.count();
    expect(left).toBe(159);
    expect(await collection.query({ text: 'two three four six', topK: 1000 })).toHaveLength(left);
  });

  it('has what is asked for by the beginnings of words and with mistakes, in files and in memory', async () => {
    const words = ['alpha', 'alphabet', 'alpine', 'beta', 'bet', 'better', 'gamma', 'gamut', 'hat', 'heat'];
    const word = fc.constantFrom(...words);
    const text = fc.array(word, { minLength: 1, maxLength: 6 }).map((each) => each.join(' '));
    const asked = fc.constantFrom('al', 'alpha', 'bet', 'gam', 'hta', 'bteter', 'gama', 'x');
    const beginning: Meaning = (each, term) => (term.startsWith(each) ? each.length / term.length : 0);
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 30 }),
        fc.array(asked, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (given, query, isAll) => {
          const database = await open('options');
          const collection = await database.collection('o', { dimensions: 1, text: { language: 'none' } });
          const records = new Map<string, ModelRecord>();
          for (const [index, each] of given.entries()) {
            const record = { vector: [1], text: each, metadata: {} };
            records.set(`${index}`, record);
            await collection.insert({ id: `${index}`, ...record });
            if (index % 10 === 5) await database.checkpoint();
          }
          const operator = isAll ? ('and' as const) : ('or' as const);
          for (const [options, meaning] of [
            [{}, exactly],
            [{ prefix: true }, beginning],
            [{ fuzzy: 1 as const }, similar(1)],
            [{ fuzzy: 2 as const }, similar(2)],
          ] as const) {
            const expected = scoresOf(records, query.join(' '), { meaning, isAll });
            const found = await collection.query({
              text: query.join(' '),
              topK: 100,
              textOptions: { ...options, operator },
            });
            expect(new Set(found.map(({ id }) => id))).toEqual(new Set(expected.keys()));
            for (const { id, score } of found) expect(score).toBeCloseTo(expected.get(id)!, 9);
          }
          await database.close();
          files.delete('options');
        },
      ),
      { numRuns: 30, seed: 20_261_121 },
    );
  });
});

/** By the plain recursion that defines the distance. */
function edits(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const rest = Math.min(
    edits(a.slice(1), b) + 1,
    edits(a, b.slice(1)) + 1,
    edits(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
  );
  const isSwap = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0];
  return isSwap ? Math.min(rest, edits(a.slice(2), b.slice(2)) + 1) : rest;
}

const known = new Map<string, number>();
function similar(max: number): Meaning {
  return (word, term) => {
    const key = `${word} ${term}`;
    const distance = known.get(key) ?? edits(word, term);
    known.set(key, distance);
    return distance <= max ? Math.max(0, 1 - distance / Math.min(word.length, term.length)) : 0;
  };
}

import { expect, it } from 'vitest';
import type { Collection, Fusion, Hit } from '../../../src/base/api.ts';
import { type NewLocation, type Open, type Store, vectorOf, withThree } from '../fixture.ts';
import { expectInOrder, livesLikeModel } from './text-property.ts';

const DIMENSIONS = 8;
const CONFIG = { dimensions: 2, text: true };

async function withTexts(open: Open, location?: string): Promise<Collection> {
  const collection = await (await open(location)).collection('texts', CONFIG);
  await collection.insert([
    { id: 'fox', vector: [1, 0], text: 'The quick brown fox jumps over the lazy dog', metadata: { n: 1 } },
    { id: 'dogs', vector: [0, 1], text: 'Dogs and foxes are running quickly', metadata: { n: 2 } },
    { id: 'none', vector: [1, 1] },
    { id: 'tokyo', vector: [1, 2], text: '東京都に住んでいます' },
  ]);
  return collection;
}

const idsOf = (hits: readonly Hit[]): string[] => hits.map(({ id }) => id);

/** Records' texts and queries by them, by the public contract, whoever stores the records. */
export function texts(
  open: Open,
  newLocation: NewLocation,
  { hasNoQuantization, propertyRuns, sharesWriting }: Store,
): void {
  it('keeps texts, and gives them back', async () => {
    const location = newLocation();
    const collection = await withTexts(open, location);
    await collection.update([
      { id: 'fox', metadata: { n: 3 } },
      { id: 'dogs', text: '' },
      { id: 'none', text: 'now there is one: \u{1F98A} \0 ünïcode \uFEFF' },
    ]);
    const expected = [
      {
        id: 'fox',
        vector: new Float32Array([1, 0]),
        metadata: { n: 3 },
        text: 'The quick brown fox jumps over the lazy dog',
      },
      { id: 'dogs', vector: new Float32Array([0, 1]), metadata: { n: 2 }, text: '' },
      {
        id: 'none',
        vector: new Float32Array([1, 1]),
        metadata: {},
        text: 'now there is one: \u{1F98A} \0 ünïcode \uFEFF',
      },
    ];
    expect(await collection.get(['fox', 'dogs', 'none'])).toEqual(expected);
    const scanned = [];
    for await (const record of collection.scan()) scanned.push(record);
    expect(scanned.slice(0, 3)).toEqual(expected);
    const alone = [];
    for await (const record of collection.scan({ include: ['text'], filter: { n: 2 } })) alone.push(record);
    expect(alone).toEqual([{ id: 'dogs', vector: new Float32Array(), metadata: {}, text: '' }]);
    const [hit] = await collection.query({ vector: [1, 0], topK: 1, include: ['text', 'highlights'] });
    expect(hit).toMatchObject({ id: 'fox', metadata: {}, text: expected[0]!.text, highlights: [] });
    expect((await collection.info()).config.text).toEqual({ language: 'en' });
  });

  it('writes texts in transactions', async () => {
    const database = await open();
    const collection = await database.collection('texts', CONFIG);
    await database.transaction(async (tx) => {
      const inside = tx.collection('texts');
      await inside.insert({ id: 'a', vector: [1, 0], text: 'first' });
      await inside.update({ id: 'a', metadata: { kept: true } });
      expect(await inside.get('a')).toMatchObject({ text: 'first', metadata: { kept: true } });
    });
    expect(idsOf(await collection.query({ text: 'first' }))).toEqual(['a']);
  });

  it('finds texts by the stems of their words, whatever their case, and says where', async () => {
    const collection = await withTexts(open);
    const hits = await collection.query({ text: 'DOG run', include: ['text', 'highlights'] });
    expect(idsOf(hits)).toEqual(['dogs', 'fox']);
    expectInOrder(hits);
    for (const hit of hits) expect(hit).not.toHaveProperty('distance');
    const marked = hits.map(({ text, highlights }) =>
      highlights!.map(({ start, end }) => text!.slice(start, end)),
    );
    expect(marked).toEqual([['Dogs', 'running'], ['dog']]);
    expect(idsOf(await collection.query({ text: '東京' }))).toEqual(['tokyo']);
    expect(idsOf(await collection.query({ text: 'dog', minScore: hits[0]!.score }))).toEqual([]);
    expect(idsOf(await collection.query({ text: 'fox', filter: { n: { $gt: 1 } } }))).toEqual(['dogs']);
  });

  it.each(['', '   ', 'the and of', '—…!?'])('finds nothing by the text %j', async (text) => {
    const collection = await withTexts(open);
    expect(await collection.query({ text })).toEqual([]);
    expect(await collection.query({ text, vector: [1, 0], topK: 2 })).toHaveLength(2);
  });

  it('finds words by their beginnings and in spite of mistakes, when asked to', async () => {
    const collection = await withTexts(open);
    const find = async (text: string, textOptions = {}) =>
      idsOf(await collection.query({ text, textOptions })).sort();
    expect(await find('jum')).toEqual([]);
    expect(await find('jum', { prefix: true })).toEqual(['fox']);
    expect(await find('borwn')).toEqual([]);
    expect(await find('borwn', { fuzzy: true })).toEqual(['fox']);
    expect(await find('boown', { fuzzy: 1 })).toEqual(['fox']);
    expect(await find('brown running')).toEqual(['dogs', 'fox']);
    expect(await find('brown running', { operator: 'and' })).toEqual([]);
    expect(await find('foxx dog', { operator: 'and', fuzzy: 1 })).toEqual(['dogs', 'fox']);
  });

  it.each([
    [{ text: 7 }, 'query.text'],
    [{ text: 'a', textOptions: { fuzzy: 3 } }, 'query.textOptions.fuzzy'],
    [{ text: 'a', textOptions: { prefx: true } }, 'query.textOptions.prefx'],
    [{ text: 'a', fusion: { method: 'best' } }, 'query.fusion.method'],
    [{ text: 'a', fusion: { method: 'weighted' } }, 'query.fusion.vectorWeight'],
    [{ text: 'a', fusion: { method: 'rrf', vectorWeight: 2 } }, 'query.fusion.vectorWeight'],
    [{ text: 'a', fusion: { method: 'rrf', k: -1 } }, 'query.fusion.k'],
    [{ text: 'a', fusion: { method: 'rrf', candidates: 0 } }, 'query.fusion.candidates'],
  ])('refuses the query %j at %s', async (query, path) => {
    const collection = await withTexts(open);
    await expect(collection.query(query as never)).rejects.toMatchObject({
      name: 'IsovecError',
      code: 'INVALID_ARGUMENT',
      details: { path },
    });
  });

  it('refuses texts that it cannot keep, and says where', async () => {
    const collection = await withTexts(open);
    for (const text of ['half a pair: \ud83e', 7, null])
      await expect(
        collection.insert([{ vector: [1, 0] }, { vector: [1, 0], text: text as string }]),
      ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { path: 'records[1].text' } });
    const three = await withThree(await open());
    await expect(three.update({ id: 'x', text: 'a' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path: 'changes.text' },
    });
    expect(await collection.query({ text: 'half \ud83e pair' })).toEqual([]);
  });

  it('keeps and finds a text of 10 MB', async () => {
    const collection = await withTexts(open);
    const text = `${'word '.repeat(1_000_000)}${'x'.repeat(5_000_000)} needle`;
    await collection.insert({ id: 'long', vector: [1, 0], text });
    const [hit] = await collection.query({ text: 'needle', include: ['text', 'highlights'] });
    expect(hit!.id).toBe('long');
    expect(hit!.text === text).toBe(true);
    expect(hit!.highlights).toEqual([{ start: text.length - 6, end: text.length }]);
    expect(await collection.query({ text })).toHaveLength(1);
  });

  it('finds every record, by words and by both, while all are replaced, stored and compacted', async () => {
    const location = newLocation();
    const database = await open(location);
    const collection = await database.collection('busy', { dimensions: 1, text: true });
    const put = (index: number, round: number) =>
      collection.upsert({ id: `r${index}`, vector: [1], text: `common ${round}` });
    for (let index = 0; index < 50; index++) await put(index, 0);
    const other = sharesWriting ? await (await open(location)).collection('busy') : collection;
    const maintain = async () => {
      for (let round = 0; round < 6; round++) await (round % 2 ? database.compact() : database.checkpoint());
    };
    const write = async () => {
      for (let index = 0; index < 100; index++) await put(index % 50, index);
    };
    let isOver = false;
    const busy = Promise.all([maintain(), write()]).finally(() => {
      isOver = true;
    });
    const fusion: Fusion = { method: 'weighted', vectorWeight: 0.5 };
    while (!isOver) {
      // Answers from memory give nobody a turn.
      await new Promise((resolve) => setTimeout(resolve));
      for (const each of [collection, other]) {
        const byWords = await each.query({ text: 'common', topK: 100, include: [] });
        expect(byWords).toHaveLength(50);
        const both = await each.query({ text: 'common', vector: [1], topK: 50, include: [], fusion });
        expect(both).toHaveLength(50);
      }
    }
    await busy;
    for (const each of [collection, other])
      expect(idsOf(await each.query({ text: '99', include: [] }))).toEqual(['r49']);
  });

  it('holds the configuration of texts against the stored one', async () => {
    const database = await open();
    await database.collection('t', { dimensions: 2, text: { language: 'none' } });
    await database.collection('t', { dimensions: 2, text: true });
    await database.collection('t', { dimensions: 2 });
    for (const text of [false, { language: 'en' as const }])
      await expect(database.collection('t', { dimensions: 2, text })).rejects.toMatchObject({
        code: 'CONFIG_MISMATCH',
      });
    await expect(
      database.collection('u', { dimensions: 2, text: { language: 'fr' as never } }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { path: 'config.text.language' } });
  });

  it.each<Fusion>([
    { method: 'rrf' },
    { method: 'rrf', k: 3, vectorWeight: 0.8 },
    { method: 'weighted', vectorWeight: 0.3 },
    { method: 'weighted', vectorWeight: 1 },
    { method: 'rrf', candidates: 40 },
    { method: 'weighted', vectorWeight: 0.3, candidates: 40 },
  ])('fuses what vectors and texts find, by %j', async (fusion) => {
    const database = await open();
    const collection = await database.collection('h', { dimensions: DIMENSIONS, text: true });
    const said = [
      'apple pie',
      'apple juice with apple',
      'pear',
      'a pear and an apple',
      'pie of pears and plums',
    ];
    await collection.insert(
      Array.from({ length: 300 }, (_, index) => ({
        id: `r${index}`,
        vector: vectorOf(index, DIMENSIONS),
        metadata: { third: index % 3 },
        ...(index % 4 !== 0 && { text: `${said[index % said.length]} ${'plum '.repeat(index % 7)}` }),
      })),
    );
    const quantizations = hasNoQuantization ? (['none'] as const) : (['none', 'int8'] as const);
    for (const quantization of quantizations) {
      if (!hasNoQuantization) await collection.setQuantization(quantization);
      for (const filter of [undefined, { third: 1 }]) {
        const asked = { vector: vectorOf(1000, DIMENSIONS), text: 'apple pie', topK: 30, exact: true };
        const query = { ...asked, ...(filter && { filter }) };
        const { text, vector, ...rest } = query;
        const topK = fusion.candidates ?? 100;
        const byVector = await collection.query({ vector, ...rest, topK });
        const byText = await collection.query({ text, ...rest, topK });
        const everything = { ...rest, topK: 300 };
        const vectorScores = scoreOfAll(await collection.query({ vector, ...everything }));
        const textScores = scoreOfAll(await collection.query({ text, ...everything }));
        const expected =
          fusion.method === 'rrf'
            ? byRank(idsOf(byVector), idsOf(byText), fusion)
            : byScore([...idsOf(byVector), ...idsOf(byText)], vectorScores, textScores, fusion.vectorWeight);
        const hits = await collection.query({ ...query, fusion });
        expectInOrder(hits);
        const best = [...expected.values()].sort((a, b) => b - a).slice(0, 30);
        expect(hits.map(({ score }) => score).length).toBe(best.length);
        for (const [at, { id, score }] of hits.entries()) {
          expect(score).toBeCloseTo(best[at]!, 6);
          expect(score).toBeCloseTo(expected.get(id)!, 6);
        }
        const bounded = await collection.query({ ...query, fusion, minScore: hits[9]!.score });
        expect(bounded.length).toBeGreaterThanOrEqual(10);
        expect(bounded.every(({ score }) => score >= hits[9]!.score)).toBe(true);
      }
    }
  });

  it('ranks as BM25 by its formula does, whatever happens in whatever order', () =>
    livesLikeModel({ open, newLocation, runs: propertyRuns }));
}

function scoreOfAll(hits: readonly Hit[]): Map<string, number> {
  return new Map(hits.map(({ id, score }) => [id, score]));
}

function byRank(
  byVector: string[],
  byText: string[],
  { k = 60, vectorWeight = 0.5 }: { k?: number; vectorWeight?: number },
): Map<string, number> {
  const scores = new Map<string, number>();
  for (const id of new Set([...byVector, ...byText])) {
    const [vectorPlace, textPlace] = [byVector.indexOf(id), byText.indexOf(id)];
    const vector = vectorPlace < 0 ? 0 : vectorWeight / (k + vectorPlace + 1);
    const text = textPlace < 0 ? 0 : (1 - vectorWeight) / (k + textPlace + 1);
    scores.set(id, 2 * (vector + text));
  }
  return scores;
}

function byScore(
  ids: string[],
  vectors: ReadonlyMap<string, number>,
  texts: ReadonlyMap<string, number>,
  vectorWeight: number,
): Map<string, number> {
  const known = [...new Set(ids)];
  const similarities = known.map((id) => vectors.get(id)!);
  const [least, most] = [Math.min(...similarities), Math.max(...similarities)];
  const mostText = Math.max(...known.map((id) => texts.get(id) ?? 0));
  return new Map(
    known.map((id) => [
      id,
      (vectorWeight * (vectors.get(id)! - least)) / (most - least) +
        ((1 - vectorWeight) * (texts.get(id) ?? 0)) / mostText,
    ]),
  );
}

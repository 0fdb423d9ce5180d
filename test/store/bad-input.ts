import { expect, it } from 'vitest';
import type { RecordInput } from '../../src/base/api.ts';
import { type NewLocation, type Open, three, withThree } from './fixture.ts';

/** What is wrong gets its error, names its place, and changes nothing. */
export function badInput(open: Open, newLocation: NewLocation): void {
  const bad: [string, unknown, string, Record<string, unknown>][] = [
    ['NaN', { id: 'b', vector: [1, Number.NaN, 0] }, 'INVALID_VECTOR', { path: 'records[1].vector[1]' }],
    ['Infinity', { id: 'b', vector: [1, 0, -Infinity] }, 'INVALID_VECTOR', { path: 'records[1].vector[2]' }],
    [
      'too large for float32',
      { id: 'b', vector: [1e39, 0, 0] },
      'INVALID_VECTOR',
      { path: 'records[1].vector[0]' },
    ],
    [
      'an element that is no number',
      { id: 'b', vector: [1, '2', 0] },
      'INVALID_VECTOR',
      { path: 'records[1].vector[1]' },
    ],
    [
      'a zero vector under cosine',
      { id: 'b', vector: [0, 0, 0] },
      'INVALID_VECTOR',
      { path: 'records[1].vector' },
    ],
    ['too few dimensions', { id: 'b', vector: [1, 2] }, 'DIMENSION_MISMATCH', { expected: 3, got: 2 }],
    ['an empty vector', { id: 'b', vector: [] }, 'DIMENSION_MISMATCH', { expected: 3, got: 0 }],
    ['no vector', { id: 'b' }, 'INVALID_ARGUMENT', { path: 'records[1].vector' }],
    ['a vector that is none', { id: 'b', vector: 'abc' }, 'INVALID_ARGUMENT', { path: 'records[1].vector' }],
    ['an empty id', { id: '', vector: [1, 2, 3] }, 'INVALID_ARGUMENT', { path: 'records[1].id' }],
    [
      'an over-long id',
      { id: 'é'.repeat(257), vector: [1, 2, 3] },
      'INVALID_ARGUMENT',
      { path: 'records[1].id' },
    ],
    [
      'half a surrogate pair as id',
      { id: '\ud800', vector: [1, 2, 3] },
      'INVALID_ARGUMENT',
      { path: 'records[1].id' },
    ],
    ['an id that is a number', { id: 7, vector: [1, 2, 3] }, 'INVALID_ARGUMENT', { path: 'records[1].id' }],
    ['a record that is none', null, 'INVALID_ARGUMENT', { path: 'records[1]' }],
    [
      'a function in metadata',
      { id: 'b', vector: [1, 2, 3], metadata: { a: [() => 1] } },
      'INVALID_ARGUMENT',
      { path: 'records[1].metadata.a[0]' },
    ],
    [
      'NaN in metadata',
      { id: 'b', vector: [1, 2, 3], metadata: { a: { b: Number.NaN } } },
      'INVALID_ARGUMENT',
      { path: 'records[1].metadata.a.b' },
    ],
    ...[new Date(0), new Map([['a', 1]]), new URL('https://isovec.invalid')].map(
      (metadata): [string, unknown, string, Record<string, unknown>] => [
        `a ${metadata.constructor.name} as metadata`,
        { id: 'b', vector: [1, 2, 3], metadata },
        'INVALID_ARGUMENT',
        { path: 'records[1].metadata' },
      ],
    ),
    [
      'a Map in metadata',
      { id: 'b', vector: [1, 2, 3], metadata: { a: new Map() } },
      'INVALID_ARGUMENT',
      { path: 'records[1].metadata.a' },
    ],
    [
      'text in a collection without',
      { id: 'b', vector: [1, 2, 3], text: 'hello' },
      'INVALID_ARGUMENT',
      { path: 'records[1].text' },
    ],
    ['the id of another', { id: 'x', vector: [1, 2, 3] }, 'DUPLICATE_ID', { path: 'records[1].id', id: 'x' }],
    ['the same id twice', { id: 'a', vector: [1, 2, 3] }, 'DUPLICATE_ID', { path: 'records[1].id', id: 'a' }],
  ];

  it.each(bad)('refuses a batch with %s, names it, and stores nothing', async (_, record, code, details) => {
    const location = newLocation();
    const database = await open(location);
    const collection = await withThree(database);
    const batch = [{ id: 'a', vector: [1, 2, 3] }, record] as RecordInput[];
    const error = await collection.insert(batch).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'IsovecError', code, details });
    await database.close();
    const again = await (await open(location)).collection('three');
    expect(await again.count()).toBe(3);
    expect(await again.get('a')).toBeUndefined();
  });

  it.each([
    [{ vector: [1, 0, 0], topK: 0 }, 'INVALID_ARGUMENT', 'query.topK'],
    [{ vector: [1, 0, 0], topK: 10_001 }, 'INVALID_ARGUMENT', 'query.topK'],
    [{ vector: [1, 0, 0], topK: 1.5 }, 'INVALID_ARGUMENT', 'query.topK'],
    [{ vector: [1, 0, 0], ef: 0 }, 'INVALID_ARGUMENT', 'query.ef'],
    [{ vector: [1, 0, 0], include: ['score'] }, 'INVALID_ARGUMENT', 'query.include[0]'],
    [{ vector: [1, 0, 0], minScore: Number.NaN }, 'INVALID_ARGUMENT', 'query.minScore'],
    [{ vector: [1, 0] }, 'DIMENSION_MISMATCH', 'query.vector'],
    [{ vector: [0, 0, 0] }, 'INVALID_VECTOR', 'query.vector'],
    [{ vector: [Number.NaN, 0, 0] }, 'INVALID_VECTOR', 'query.vector[0]'],
    [{}, 'INVALID_ARGUMENT', 'query.vector'],
    [{ vector: [1, 0, 0], filter: { axis: { $near: 'x' } } }, 'INVALID_FILTER', 'query.filter.axis.$near'],
    [{ text: 'axis' }, 'INVALID_ARGUMENT', 'query.text'],
  ])('refuses the query %j with %s at %s', async (query, code, path) => {
    const collection = await withThree(await open());
    const refused = collection.query(query as never);
    await expect(refused).rejects.toMatchObject({ name: 'IsovecError', code, details: { path } });
    const many = collection.queryMany([{ vector: [1, 0, 0] }, query as never]);
    await expect(many).rejects.toMatchObject({
      code,
      details: { path: path.replace('query', 'queries[1]') },
    });
  });

  it('answers an aborted signal with ABORTED', async () => {
    const database = await open();
    const collection = await withThree(database);
    const signal = AbortSignal.abort('enough');
    await expect(collection.query({ vector: [1, 0, 0], signal })).rejects.toMatchObject({
      name: 'IsovecError',
      code: 'ABORTED',
      cause: 'enough',
    });
    await expect(open(newLocation(), { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await collection.count()).toBe(3);
  });

  it('refuses to update what is not there, and vectors over maxMagnitude', async () => {
    const database = await open();
    const collection = await withThree(database);
    const changes = [{ id: 'x', metadata: { changed: true } }, { id: 'nobody' }];
    await expect(collection.update(changes)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { path: 'changes[1].id', id: 'nobody' },
    });
    expect((await collection.get('x'))!.metadata).toEqual(three[0]!.metadata);
    const short = await database.collection('short', { dimensions: 2, maxMagnitude: 5 });
    await short.insert({ id: 'a', vector: [3, 4] });
    await expect(short.insert({ vector: [3, 4.01] })).rejects.toMatchObject({ code: 'INVALID_VECTOR' });
  });

  it.each([
    [{ lockTimeout: -1 }, 'options.lockTimeout'],
    [{ durability: 'none' }, 'options.durability'],
    [{ syncInterval: 0 }, 'options.syncInterval'],
    [{ storage: 'cloud' }, 'options.storage'],
    [{ locktimeout: 1 }, 'options.locktimeout'],
  ])('refuses to open with %j', async (options, path) => {
    await expect(open(newLocation(), options as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path },
    });
  });
}

/** What a transaction promises, by the public contract alone. */
import { expect, it } from 'vitest';
import type { Collection, Database } from '../../src/base/api.ts';
import { type NewLocation, type Open, three, withThree } from './fixture.ts';

const failure = new Error('the caller has changed its mind');

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

export function transactions(open: Open, newLocation: NewLocation): void {
  async function withTwo(
    location = newLocation(),
  ): Promise<{ database: Database; a: Collection; b: Collection }> {
    const database = await open(location);
    const a = await withThree(database);
    return { database, a, b: await database.collection('b', { dimensions: 1 }) };
  }

  it('commits a transaction over several collections as one, and readers see nothing of it before', async () => {
    const location = newLocation();
    const { database, a, b } = await withTwo(location);
    const commits: string[][] = [];
    database.on('commit', ({ collections }) => commits.push(collections));
    const result = await database.transaction(async (tx) => {
      await tx.collection('three').upsert({ id: 'x', vector: [0, 0, 1] });
      await tx.collection('three').delete(['y', 'nobody']);
      await tx.collection('b').insert([
        { id: 'b1', vector: [1] },
        { id: 'b2', vector: [2] },
      ]);
      expect(await a.count()).toBe(3);
      expect(await b.count()).toBe(0);
      expect((await a.query({ vector: [1, 0, 0], topK: 1 }))[0]!.id).toBe('x');
      return 'done';
    });
    expect(result).toBe('done');
    const check = async (opened: Database) => {
      const [first, second] = [await opened.collection('three'), await opened.collection('b')];
      expect(await first.get(['x', 'y'])).toEqual([
        { id: 'x', vector: new Float32Array([0, 0, 1]), metadata: {} },
        undefined,
      ]);
      expect(await second.count()).toBe(2);
    };
    await check(database);
    // Out of a worker the event of the collection's creation may come late.
    await expect.poll(() => commits.at(-1)).toEqual(['three', 'b']);
    await database.close();
    await check(await open(location));
  });

  it('rolls everything back when its function throws, and rethrows', async () => {
    const { database, a, b } = await withTwo();
    const rolledBack = database.transaction(async (tx) => {
      await tx.collection('b').insert({ id: 'b1', vector: [1] });
      await tx.collection('three').delete(['x', 'y', 'xy']);
      throw failure;
    });
    await expect(rolledBack).rejects.toBe(failure);
    expect(await a.count()).toBe(3);
    expect(await b.count()).toBe(0);
    await b.insert({ id: 'b1', vector: [1] });
  });

  it('sees its own writes, in the order of its calls', async () => {
    const { database } = await withTwo();
    await database.transaction(async (tx) => {
      const a = tx.collection('three');
      const written = a.update({ id: 'x', metadata: { seen: 1 } });
      expect((await a.get('x'))!.metadata).toEqual({ ...three[0]!.metadata, seen: 1 });
      await written;
      await a.delete('x');
      expect(await a.get(['x', 'y'])).toEqual([undefined, expect.objectContaining({ id: 'y' })]);
      await a.insert({ id: 'x', vector: [1, 1, 1] });
      expect(await a.delete('x')).toEqual({ deleted: 1 });
    });
  });

  it('goes on after a call that failed, of which nothing is left', async () => {
    const { database, a } = await withTwo();
    await database.transaction(async (tx) => {
      const batch = [
        { id: 'new', vector: [1, 2, 3] },
        { id: 'x', vector: [1, 2, 3] },
      ];
      await expect(tx.collection('three').insert(batch)).rejects.toMatchObject({ code: 'DUPLICATE_ID' });
      await expect(tx.collection('three').insert({ vector: [1] })).rejects.toMatchObject({
        code: 'DIMENSION_MISMATCH',
        details: { path: 'records.vector' },
      });
      await expect(tx.collection('none').get('x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await tx.collection('three').get('new')).toBeUndefined();
      await tx.collection('three').insert({ id: 'other', vector: [1, 2, 3] });
    });
    expect(await a.get(['new', 'other'])).toEqual([undefined, expect.objectContaining({ id: 'other' })]);
  });

  it('lets nobody write in between: reading and writing in many at once loses no update', async () => {
    const { database, a } = await withTwo();
    await a.update({ id: 'x', metadata: { count: 0 } });
    const increment = () =>
      database.transaction(async (tx) => {
        const { count } = (await tx.collection('three').get('x'))!.metadata as { count: number };
        await tx.collection('three').update({ id: 'x', metadata: { count: count + 1 } });
      });
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await a.get('x')).toMatchObject({ metadata: { count: 20 } });
  });

  it('is rolled back by its signal, whether it waits, runs or has not begun', async () => {
    const { database, a } = await withTwo();
    const abort = new AbortController();
    const first = database.transaction(
      async (tx) => {
        await tx.collection('three').delete('x');
        abort.abort(failure);
        await expect(tx.collection('three').delete('y')).rejects.toMatchObject({ code: 'ABORTED' });
        await new Promise(() => {});
      },
      { signal: abort.signal },
    );
    const waiting = database.transaction(() => 1, { signal: abort.signal });
    const both = await Promise.allSettled([first, waiting]);
    expect(both).toMatchObject([
      { reason: { code: 'ABORTED', cause: failure } },
      { reason: { code: 'ABORTED' } },
    ]);
    await expect(database.transaction(() => 1, { signal: abort.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(await a.count()).toBe(3);
    await a.delete('x');
  });

  it('takes no call after its end', async () => {
    const { database, b } = await withTwo();
    let kept: { insert(record: { vector: number[] }): Promise<unknown> } | undefined;
    await database.transaction((tx) => {
      kept = tx.collection('b');
    });
    await expect(kept!.insert({ vector: [1] })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await b.count()).toBe(0);
  });

  it('is rolled back by close, which waits for what else has been called, but for no function', async () => {
    const location = newLocation();
    const { database, b } = await withTwo(location);
    const goOn = deferred();
    const hasBegun = deferred();
    let lateCall = '';
    const endless = database.transaction(async (tx) => {
      await tx.collection('b').insert({ id: 'rolled back', vector: [1] });
      hasBegun.resolve();
      await goOn.promise;
      await tx
        .collection('b')
        .get('b1')
        .catch(({ code }) => {
          lateCall = code;
        });
    });
    await hasBegun.promise;
    const notBegun = database.transaction(() => 1);
    const write = b.insert({ id: 'written', vector: [1] });
    const ends = Promise.allSettled([endless, notBegun, write, database.close()]);
    expect(await ends).toMatchObject([
      { reason: { code: 'ABORTED', message: expect.stringContaining('closed') } },
      { reason: { code: 'ABORTED' } },
      { status: 'fulfilled' },
      { status: 'fulfilled' },
    ]);
    goOn.resolve();
    await expect.poll(() => lateCall).toBe('CLOSED');
    const again = await (await open(location)).collection('b');
    expect(await again.get(['rolled back', 'written'])).toEqual([
      undefined,
      expect.objectContaining({ id: 'written' }),
    ]);
  });

  it('is stored when close comes during its commit', async () => {
    const location = newLocation();
    const { database } = await withTwo(location);
    const returned = deferred();
    const committing = database.transaction(async (tx) => {
      await tx.collection('b').insert({ id: 'b1', vector: [1] });
      setTimeout(returned.resolve);
    });
    await returned.promise;
    const [outcome] = await Promise.allSettled([committing, database.close()]);
    const count = await (await (await open(location)).collection('b')).count();
    expect(count).toBe(outcome.status === 'fulfilled' ? 1 : 0);
  });

  it('ends when its own function closes the database', async () => {
    const { database } = await withTwo();
    const own = database.transaction(() => database.close());
    await expect(own).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('gives up a write that its own function waits for from outside, and says what to do', async () => {
    const database = await open(newLocation(), { lockTimeout: 100 });
    const collection = await withThree(database);
    const stuck = database.transaction(async (tx) => {
      await tx.collection('three').delete('y');
      await collection.delete('x');
    });
    await expect(stuck).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: expect.stringContaining('tx.collection()'),
    });
    expect(await collection.count()).toBe(3);
  });

  it('refuses what is no function', async () => {
    const { database } = await withTwo();
    await expect(database.transaction(7 as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(database.transaction(() => 1, { signal: 1 as never })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { path: 'options.signal' },
    });
  });

  it('gives up a write by its signal while it waits, and lets interactive writes pass bulk ones', async () => {
    const { database, b } = await withTwo();
    const abort = new AbortController();
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    let waiting: Promise<unknown>[] = [];
    await database.transaction(async (tx) => {
      await tx.collection('b').insert({ id: 'b1', vector: [1] });
      waiting = [
        b.insert({ vector: [1] }, { priority: 'bulk' }).then(note('bulk')),
        b.insert({ vector: [1] }, { signal: abort.signal }).catch(note('aborted')),
        b.insert({ vector: [1] }).then(note('interactive')),
      ];
      await expect.poll(async () => (await database.stats()).queue.waiting).toBe(3);
      abort.abort();
      await expect.poll(async () => (await database.stats()).queue.waiting).toBe(2);
    });
    await Promise.all(waiting);
    expect(order).toEqual(['aborted', 'interactive', 'bulk']);
    expect(await b.count()).toBe(3);
  });

  it('refuses a write when too much waits already, and says so', async () => {
    const database = await open(newLocation(), { queueLimit: { operations: 4 } });
    const collection = await withThree(database);
    const states: string[] = [];
    database.on('queue', ({ state }) => states.push(state));
    let waiting: Promise<PromiseSettledResult<unknown>[]> | undefined;
    await database.transaction(async () => {
      waiting = Promise.allSettled(Array.from({ length: 6 }, () => collection.insert({ vector: [1, 1, 1] })));
      await expect.poll(async () => (await database.stats()).queue.waiting).toBe(4);
    });
    const outcomes = (await waiting!).map((outcome) =>
      outcome.status === 'rejected' ? outcome.reason.code : 'stored',
    );
    expect(outcomes).toEqual(['stored', 'stored', 'stored', 'stored', 'QUOTA_EXCEEDED', 'QUOTA_EXCEEDED']);
    expect(await collection.count()).toBe(7);
    await expect.poll(() => states).toEqual(['high', 'normal']);
  });
}

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Metadata } from '../../src/base/api.ts';
import { type CompiledFilter, compileFilter } from '../../src/filter/filter.ts';
import type { CollectionState } from '../../src/store/collection-state.ts';
import { resolveConfig } from '../../src/store/config.ts';
import { withMatching } from '../../src/store/matching.ts';
import { MatchingRows } from '../../src/store/matching-rows.ts';
import { encodeMetadata } from '../../src/store/metadata.ts';
import { Bitmap } from '../../src/tables/growable.ts';
import { RecordTail } from '../../src/tables/record-tail.ts';
import { RowTable } from '../../src/tables/row-table.ts';

type State = Pick<CollectionState, 'name' | 'rows' | 'tail' | 'isDropped' | 'config'>;

function stateOf(count: number): State & CollectionState {
  const config = resolveConfig({ dimensions: 1 });
  const state: State = { name: 'c', config, rows: new RowTable(), tail: new RecordTail(0), isDropped: false };
  for (let number = 0; number < count; number++) put(state, number);
  return state as State & CollectionState;
}

function put({ rows, tail }: State, number: number): void {
  const { row } = rows.put(new TextEncoder().encode(`id${number}`));
  const body = encodeMetadata({ number }, 'metadata');
  tail.push(row, { body, vector: new Float32Array(1), checksum: undefined });
}

function filterOf(key: string, isRight: (number: number) => boolean): CompiledFilter & { asked: number } {
  return counted({
    condition: { kind: 'and', parts: [] },
    key,
    mayMatch: () => true,
    matches: ({ number }) => isRight(number as number),
  });
}

/** Counts what is asked of it. */
function counted(filter: CompiledFilter): CompiledFilter & { asked: number } {
  const counting = {
    ...filter,
    asked: 0,
    mayMatch: () => true,
    matches: (metadata: Metadata) => {
      counting.asked++;
      return filter.matches(metadata);
    },
  };
  return counting;
}

/** Whoever gets the first turn aborts. */
function abortedAtFirstTurn() {
  const controller = new AbortController();
  return { signal: controller.signal, pausing: async () => controller.abort() };
}

const noPause = async () => {};
const list = (matching: MatchingRows) => Array.from(matching.list());
const isEven = (number: number) => number % 2 === 0;

afterEach(() => {
  vi.restoreAllMocks();
});

describe('finding what matches', () => {
  it('asks each record once, for all who want to know at a time, and later only what has come since', async () => {
    const state = stateOf(1000);
    const filter = filterOf('even', isEven);
    const ask = () => withMatching(state, filter, noPause, ({ count }) => count);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([500, 500, 500]);
    expect(filter.asked).toBe(1000);
    put(state, 1000);
    state.rows.delete(new TextEncoder().encode('id0'));
    expect(await withMatching(state, filter, noPause, list)).toEqual(
      Array.from({ length: 500 }, (_, index) => 2 * index + 2),
    );
    expect(filter.asked).toBe(1001);
  });

  it('gives all that ask of one state the same rows, and others once there is another', async () => {
    const state = stateOf(100);
    const filter = filterOf('even', isEven);
    const ask = () => withMatching(state, filter, noPause, (matching) => matching);
    const first = await ask();
    const listed = first.list();
    expect(await ask()).toBe(first);
    expect(first.list()).toBe(listed);
    const bytes = state.filters!.memoryBytes;
    state.rows.delete(new TextEncoder().encode('id2'));
    const second = await ask();
    expect([...second.list()]).toEqual([...listed].filter((row) => row !== 2));
    put(state, 100);
    expect((await ask()).count).toBe(50);
    expect([...listed].length).toBe(50);
    expect(state.filters!.memoryBytes).toBeLessThanOrEqual(bytes + 4 * 50);
  });

  it('asks anew when rows have got other numbers, also while it is asking', async () => {
    const state = stateOf(1000);
    const filter = filterOf('even', isEven);
    const others = stateOf(10);
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => ++clock);
    const renumber = async () => {
      if (filter.asked > 100) Object.assign(state, { rows: others.rows, tail: others.tail });
    };
    expect(await withMatching(state, filter, renumber, list)).toEqual([0, 2, 4, 6, 8]);
  });

  it('lets others have a turn between slices', async () => {
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => ++clock);
    const pause = vi.fn(noPause);
    const answered = withMatching(stateOf(1000), filterOf('even', isEven), pause, ({ count }) => count);
    expect(await answered).toBe(500);
    expect(pause.mock.calls.length).toBeGreaterThan(5);
  });

  it('gives turns, and hears of an abort, while it makes ready for a very long list of values', async () => {
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => ++clock);
    const long = { number: { $in: Array.from({ length: 200_000 }, (_, at) => 2 * at) } };
    const pause = vi.fn(noPause);
    expect(await withMatching(stateOf(10), compileFilter(long, 'filter'), pause, list)).toEqual([
      0, 2, 4, 6, 8,
    ]);
    expect(pause.mock.calls.length).toBeGreaterThan(5);
    const { signal, pausing } = abortedAtFirstTurn();
    const filter = counted(compileFilter(long, 'filter'));
    const given = withMatching(stateOf(10), filter, pausing, list, signal);
    await expect(given).rejects.toMatchObject({ code: 'ABORTED' });
    expect(filter.asked).toBe(0);
  });

  it('gives turns, and hears of an abort, between records that are asked ten thousand conditions', async () => {
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => ++clock);
    const ranges = Array.from({ length: 10_000 }, (_, at) => ({ number: { $gt: at, $lt: at + 1 } }));
    const { signal, pausing } = abortedAtFirstTurn();
    const filter = counted(compileFilter({ $or: ranges }, 'filter'));
    const given = withMatching(stateOf(100), filter, pausing, list, signal);
    await expect(given).rejects.toMatchObject({ code: 'ABORTED' });
    expect(filter.asked).toBeLessThan(10);
  });

  it('remembers a few filters, the last ones asked', async () => {
    const state = stateOf(100);
    const filters = Array.from({ length: 9 }, (_, index) => filterOf(`filter ${index}`, isEven));
    const ask = (filter: CompiledFilter) => withMatching(state, filter, noPause, ({ count }) => count);
    for (const filter of filters) await ask(filter);
    for (const filter of filters.slice(1)) await ask(filter);
    await ask(filters[0]!);
    expect(filters.map(({ asked }) => asked)).toEqual([200, ...new Array(8).fill(100)]);
    expect(state.filters!.memoryBytes).toBeLessThan(10_000);
  });

  it('does not remember a filter that says very much', async () => {
    const state = stateOf(100);
    const { condition, key } = compileFilter({ $or: [{ text: 'x'.repeat(100_000) }] }, 'filter');
    expect(key).toBeUndefined();
    const filter = { ...filterOf('even', isEven), condition, key };
    const asked = vi.spyOn(filter, 'matches');
    for (let round = 0; round < 2; round++)
      expect(await withMatching(state, filter, noPause, ({ count }) => count)).toBe(50);
    expect(asked).toHaveBeenCalledTimes(200);
  });

  it('ends when its signal is aborted, or the collection is dropped', async () => {
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => ++clock);
    const controller = new AbortController();
    const filter = filterOf('even', isEven);
    const aborting = async () => controller.abort('enough');
    await expect(
      withMatching(stateOf(1000), filter, aborting, list, controller.signal),
    ).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    expect(filter.asked).toBeLessThan(1000);
    const state = stateOf(1000);
    const dropping = async () => {
      state.isDropped = true;
    };
    await expect(withMatching(state, filter, dropping, list)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('rows that match', () => {
  it('are listed and counted, without the dead', () => {
    const [matching, dead] = [new Bitmap(), new Bitmap()];
    const rows = [0, 1, 30, 31, 32, 63, 64, 4095, 100_000];
    for (const row of rows) matching.add(row);
    for (const row of [1, 31, 33, 64, 200_000]) dead.add(row);
    const live = new MatchingRows(matching, dead);
    expect(list(live)).toEqual([0, 30, 32, 63, 4095, 100_000]);
    expect(live.count).toBe(6);
    const all = new Bitmap();
    for (let row = 0; row < 320; row++) all.add(row);
    expect(list(new MatchingRows(all, new Bitmap()))).toEqual(Array.from({ length: 320 }, (_, row) => row));
  });
});

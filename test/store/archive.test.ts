import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Database, OpenOptions, RestoreOptions } from '../../src/base/api.ts';
import { IsovecError } from '../../src/base/errors.ts';
import { GrowableBytes, MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';
import { LOG_CARE } from '../../src/store/log-care.ts';
import { openLocal } from '../../src/store/open.ts';
import { restoreLocal } from '../../src/store/restore.ts';
import { vectorOf } from './fixture.ts';
import { memoryPlatform } from './memory-platform.ts';

const DIMENSIONS = 3;
const CARE = { ...LOG_CARE, segmentBytesMax: 300, idleMs: 100_000 };

let placeCount = 0;
const newPlace = () => `archive-${++placeCount}`;

/** What a database holds: records in order, by collection. */
type State = Record<string, unknown[]>;
type Change = (state: State) => void;

/** Places in memory, and what each was after each of its writes. */
class World {
  readonly places = new Map<string, MemoryFiles>();
  readonly states: State[] = [{}];
  readonly times: number[] = [Date.now()];
  options: OpenOptions = { archive: true };
  database!: Database;

  source = '';

  /** In a place of its own, so that no lock of an earlier life stands in the way. */
  async open(wrap?: (backend: StorageBackend) => StorageBackend): Promise<void> {
    const files = this.places.get(this.source) ?? new MemoryFiles();
    this.places.delete(this.source);
    this.source = newPlace();
    this.places.set(this.source, files);
    this.database = await openLocal(memoryPlatform(this.places, wrap), this.source, this.options, CARE);
  }

  get files(): MemoryFiles {
    return this.places.get(this.source)!;
  }

  /** One write, one sequence. */
  async write(change: Change, run: () => Promise<unknown>): Promise<void> {
    await run();
    const { lastSequence } = (await this.database.stats()).log;
    if (lastSequence === this.states.length - 1) return;
    expect(lastSequence).toBe(this.states.length);
    const next = structuredClone(this.states.at(-1)!);
    change(next);
    this.states.push(next);
    this.times.push(Date.now());
    // So that no two writes share a millisecond, and each can be meant by a time.
    while (Date.now() === this.times.at(-1)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  restore(options: RestoreOptions, destination = newPlace()): Promise<State> {
    return restoreLocal(memoryPlatform(this.places), this.source, destination, options).then(async () => {
      const restored = await openLocal(memoryPlatform(this.places), destination, {});
      const state = await stateOf(restored);
      await restored.close();
      this.places.delete(destination);
      return state;
    });
  }

  archived(): string[] {
    return [...this.files.keys()].filter((name) => name.startsWith('archive'));
  }
}

async function stateOf(database: Database): Promise<State> {
  const state: State = {};
  for (const { name } of await database.collections()) {
    const records: unknown[] = [];
    for await (const each of (await database.collection(name)).scan()) records.push(each);
    state[name] = records;
  }
  return state;
}

const record = (id: string, seed: number) => ({
  id,
  vector: Float32Array.from(vectorOf(seed, DIMENSIONS)),
  metadata: { seed },
});

type Step =
  | { kind: 'upsert'; name: string; ids: string[]; seed: number }
  | { kind: 'delete'; name: string; ids: string[] }
  | { kind: 'drop'; name: string }
  | { kind: 'checkpoint' }
  | { kind: 'compact' }
  | { kind: 'reopen' }
  | { kind: 'crash' };

const name = fc.constantFrom('a', 'b');
const ids = fc.uniqueArray(fc.constantFrom('p', 'q', 'r', 's', 't'), { minLength: 1, maxLength: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('upsert' as const), name, ids, seed: fc.nat(1000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), name, ids }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), name }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'checkpoint' }, { kind: 'compact' }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'reopen' }, { kind: 'crash' }) },
);

async function perform(world: World, each: Step): Promise<void> {
  const { database } = world;
  if (each.kind === 'checkpoint' || each.kind === 'compact') await database[each.kind]();
  else if (each.kind === 'reopen' || each.kind === 'crash') {
    if (each.kind === 'reopen') await database.close();
    await world.open();
  } else {
    const isThere = each.name in world.states.at(-1)!;
    if (each.kind === 'drop') {
      if (isThere)
        await world.write(
          (state) => delete state[each.name],
          () => database.dropCollection(each.name),
        );
      return;
    }
    if (!isThere)
      await world.write(
        (state) => {
          state[each.name] = [];
        },
        () => database.collection(each.name, { dimensions: DIMENSIONS, metric: 'dot' }),
      );
    const collection = await database.collection(each.name);
    if (each.kind === 'delete')
      await world.write(
        (state) => {
          state[each.name] = state[each.name]!.filter(
            (one) => !each.ids.includes((one as { id: string }).id),
          );
        },
        () => collection.delete(each.ids),
      );
    else {
      const records = each.ids.map((id) => record(id, each.seed + 1));
      await world.write(
        (state) => {
          const content = new Map(state[each.name]!.map((one) => [(one as { id: string }).id, one]));
          for (const one of records) content.set(one.id, one);
          state[each.name] = [...content.values()];
        },
        () => collection.upsert(records),
      );
    }
  }
}

async function livedWorld(steps: readonly Step[], options?: OpenOptions): Promise<World> {
  const world = new World();
  if (options) world.options = options;
  await world.open();
  for (const each of steps) await perform(world, each);
  return world;
}

const upsert = (seed: number): Step => ({ kind: 'upsert', name: 'a', ids: ['p', 'q'], seed });
const CHECKPOINT: Step = { kind: 'checkpoint' };

describe('the archive', () => {
  it.each(['gzip', 'none'] as const)(
    'gives back the state after any write, by sequence and by time (%s)',
    async (compression) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
          const world = await livedWorld(steps, { archive: { compression } });
          for (const [sequence, state] of world.states.entries()) {
            expect(await world.restore({ sequence })).toEqual(state);
            if (sequence > 0) expect(await world.restore({ time: world.times[sequence]! })).toEqual(state);
          }
          expect(await world.restore({})).toEqual(world.states.at(-1));
          await world.database.close();
          expect(await world.restore({})).toEqual(world.states.at(-1));
        }),
        { numRuns: 12, seed: 20_261_121 },
      );
    },
  );

  it('begins with the whole state when it is switched on later, and goes on from there', async () => {
    const world = await livedWorld([upsert(1), CHECKPOINT, upsert(2), CHECKPOINT], {});
    await world.database.close();
    const begun = world.states.length - 1;
    world.options = { archive: true };
    await world.open();
    await expect.poll(() => world.archived().length, { timeout: 20_000 }).toBe(2);
    for (const each of [upsert(3), CHECKPOINT, upsert(4)]) await perform(world, each);
    const { log } = await world.database.stats();
    expect(log).toMatchObject({ archivedSegments: 1, oldestRestorable: { sequence: begun } });
    expect(log.archivedBytes).toBeGreaterThan(0);
    for (let sequence = begun; sequence < world.states.length; sequence++)
      expect(await world.restore({ sequence })).toEqual(world.states[sequence]);
    await expect(world.restore({ sequence: begun - 1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { sequences: { oldest: begun } },
    });
  });

  it('is read beside a writer whose checkpoints go on', async () => {
    const world = await livedWorld([upsert(0)]);
    const collection = await world.database.collection('a');
    let isWriting = true;
    const writing = (async () => {
      for (let seed = 1; isWriting; seed++) {
        await collection.upsert(record('p', seed));
        await world.database.checkpoint();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    for (let round = 0; round < 20; round++) {
      const { lastSequence } = (await world.database.stats()).log;
      const state = await world.restore({ sequence: lastSequence });
      expect(state.a).toHaveLength(2);
      await world.restore({});
    }
    isWriting = false;
    await writing;
    await world.database.close();
  });

  it('refuses what it does not have, and says what it has', async () => {
    const world = await livedWorld([upsert(1), CHECKPOINT, upsert(2)]);
    const newest = world.states.length - 1;
    await expect(world.restore({ sequence: newest + 1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { sequences: { oldest: 0, newest } },
    });
    const [taken, bare] = [newPlace(), newPlace()];
    for (const place of [taken, bare])
      await (await openLocal(memoryPlatform(world.places), place, {})).close();
    await expect(world.restore({}, taken)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    world.source = bare;
    await expect(world.restore({})).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('does not take a time in which it was off for one that it knows', async () => {
    const world = await livedWorld([upsert(1), CHECKPOINT]);
    const before = world.states.length - 1;
    await world.database.close();
    world.options = {};
    await world.open();
    for (const each of [upsert(2), CHECKPOINT, upsert(3), CHECKPOINT]) await perform(world, each);
    await world.database.close();
    await expect(world.restore({})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    world.options = { archive: true };
    await world.open();
    const after = world.states.length - 1;
    await world.database.checkpoint();
    await perform(world, upsert(4));
    await perform(world, CHECKPOINT);
    for (const sequence of [0, before, after, after + 1])
      expect(await world.restore({ sequence })).toEqual(world.states[sequence]);
    for (const gone of [{ sequence: before + 1 }, { time: world.times[before + 1]! }])
      await expect(world.restore(gone)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('keeps no more than it is asked to, and that is always restorable', async () => {
    const world = new World();
    world.options = { archive: { compression: 'none', retentionBytes: 4000 } };
    await world.open();
    for (let round = 0; round < 40; round++) {
      await perform(world, upsert(round));
      await perform(world, CHECKPOINT);
      const { archivedBytes } = (await world.database.stats()).log;
      expect(archivedBytes).toBeLessThan(6000);
    }
    const oldest = (await world.database.stats()).log.oldestRestorable!.sequence;
    expect(oldest).toBeGreaterThan(10);
    for (let sequence = oldest; sequence < world.states.length; sequence++)
      expect(await world.restore({ sequence })).toEqual(world.states[sequence]);
    await world.database.close();
    world.options = { archive: { retentionMs: 1 } };
    await world.open();
    for (let round = 0; round < 3; round++) {
      await perform(world, upsert(round));
      await perform(world, CHECKPOINT);
    }
    expect((await world.database.stats()).log.oldestRestorable!.sequence).toBeGreaterThan(oldest);
    expect(await world.restore({})).toEqual(world.states.at(-1));
  });

  it('fails with CORRUPTION naming the file wherever one of its files is damaged or missing', async () => {
    const world = await livedWorld([upsert(1), CHECKPOINT, upsert(2), upsert(3), CHECKPOINT]);
    await world.database.close();
    expect(world.archived().length).toBeGreaterThan(3);
    for (const file of world.archived()) {
      const whole = world.files.get(file)!;
      const damagedAt = async (edit: (content: GrowableBytes) => void, where: string) => {
        const content = new GrowableBytes();
        content.write(0, whole.copy(0, whole.length));
        edit(content);
        world.files.set(file, content);
        const destination = newPlace();
        const refused = world.restore({}, destination);
        await expect(refused, where).rejects.toMatchObject({ code: 'CORRUPTION', details: { file } });
        expect(world.places.get(destination)?.size ?? 0).toBe(0);
      };
      for (let at = 0; at < whole.length; at += 5)
        await damagedAt(
          (content) => content.write(at, Uint8Array.of(content.copy(at, 1)[0]! ^ 8)),
          `${file} ${at}`,
        );
      await damagedAt((content) => content.resize(whole.length - 1), `${file} cut`);
      world.files.set(file, whole);
      if (file === 'archive') continue;
      world.files.delete(file);
      await expect(world.restore({})).rejects.toMatchObject({ code: 'CORRUPTION', details: { file } });
      world.files.set(file, whole);
    }
  });

  it('loses nothing, wherever the process dies', async () => {
    const steps = [upsert(1), CHECKPOINT, upsert(2), upsert(3), CHECKPOINT, upsert(4)];
    for (let changes = 0; ; changes++) {
      const world = new World();
      world.options = { archive: { retentionBytes: 500 } };
      const storage = dyingAfter(changes);
      const died = await (async () => {
        await world.open(storage.wrap);
        world.database.on('warning', () => {});
        for (const each of steps) await perform(world, each);
      })().then(
        () => storage.isDead(),
        () => true,
      );
      // The process is gone, and with it what it would still have done.
      storage.kill();
      const files = new MemoryFiles([...world.files].map(([file, content]) => [file, copyOf(content)]));
      world.places.set(world.source, files);
      await world.open();
      await world.database.checkpoint();
      const reached = (await world.database.stats()).log.lastSequence;
      expect(reached).toBeGreaterThanOrEqual(world.states.length - 1);
      const oldest = (await world.database.stats()).log.oldestRestorable!.sequence;
      for (let sequence = oldest; sequence < world.states.length; sequence++)
        expect(await world.restore({ sequence }), `${changes}: ${sequence}`).toEqual(world.states[sequence]);
      expect(await world.restore({})).toEqual(await stateOf(world.database));
      if (!died) {
        expect(changes).toBeGreaterThan(30);
        return;
      }
    }
  });
});

function copyOf(content: GrowableBytes): GrowableBytes {
  const copy = new GrowableBytes();
  copy.write(0, content.copy(0, content.length));
  return copy;
}

function dyingAfter(changes: number) {
  let left = changes;
  const live = () => {
    if (left-- <= 0) throw new IsovecError('STORAGE_IO', 'the process has died');
  };
  const wrap = (backend: StorageBackend): StorageBackend => {
    const { open, remove, replace } = backend;
    backend.remove = async (file) => {
      live();
      await remove.call(backend, file);
    };
    backend.replace = async (file, content) => {
      live();
      await replace.call(backend, file, content);
    };
    backend.open = async (file, options) => {
      const opened = await open.call(backend, file, options);
      const { write, truncate } = opened;
      opened.write = async (offset, bytes) => {
        live();
        await write.call(opened, offset, bytes);
      };
      opened.truncate = async (size) => {
        live();
        await truncate.call(opened, size);
      };
      return opened;
    };
    return backend;
  };
  return {
    wrap,
    isDead: () => left < 0,
    kill: () => {
      left = 0;
    },
  };
}

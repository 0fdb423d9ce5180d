/**
 * Two processes share one simulated disk, writing by turns. One of them is killed at some change that it makes, which may
 * be a write torn in the middle; the other, which has it open and has followed, takes the lock and goes on. What both
 * were promised must be there, no batch torn or doubled, and whoever opens the disk afterwards must see the same, even
 * when the power fails then.
 */
import type { Collection, CollectionConfig, Database } from '../../src/base/api.ts';
import { openLocal } from '../../src/store/open.ts';
import { random } from '../search/random.ts';
import { vectorOf } from '../store/fixture.ts';
import { CrashReplay, IMAGE_KINDS } from './crash-images.ts';
import { SimulatedBackend, SimulatedDisk } from './simulated-disk.ts';
import { SimulatedLock } from './simulated-locks.ts';
import { SimulatedPlatform } from './simulated-platform.ts';
import { checkAnswers, digestOfDatabase, World } from './world.ts';

const DIMENSIONS = 3;
const CONFIG: CollectionConfig & { metric: 'euclidean' } = {
  dimensions: DIMENSIONS,
  metric: 'euclidean',
  index: { m: 4, efConstruction: 16 },
};
const TURNS_BEFORE_MAX = 6;
const IDS = 10;
const BATCH_RECORDS_MAX = 4;
/** A batch over several sectors now and then. */
const LARGE_TEXT_SHARE = 0.2;
const LARGE_TEXT_BYTES = 3000;
const FOREVER_MS = 2 ** 31 - 1;

export type LastAct = 'batch' | 'transaction' | 'checkpoint' | 'compaction';

export interface Outcome {
  act: LastAct;
  /** The process got to the end of what it did before it was to be killed. */
  isDone: boolean;
}

interface Process {
  backend: SimulatedBackend;
  database: Database;
  collection: Collection;
}

const chooseAct = (number: number): LastAct =>
  number < 0.5 ? 'batch' : number < 0.7 ? 'transaction' : number < 0.85 ? 'checkpoint' : 'compaction';

/** @param changes that the process which is to die makes, counted from its last act */
export async function dieAt(seed: number, changes: number): Promise<Outcome> {
  return new TwoProcesses(seed).run(changes);
}

class TwoProcesses {
  readonly #random: () => number;
  readonly #disk = new SimulatedDisk(new Map(), true);
  readonly #lock = new SimulatedLock();
  #world = new World().with('c', { config: CONFIG, records: new Map() });
  #nextVector = 1;

  constructor(seed: number) {
    this.#random = random(seed);
  }

  async run(changes: number): Promise<Outcome> {
    const mortal = await this.#open('mortal');
    const heir = await this.#open('heir');
    for (let turns = this.#below(TURNS_BEFORE_MAX); turns > 0; turns--) {
      await this.#turn(this.#random() < 0.5 ? mortal : heir);
      if (this.#random() < 0.5) await this.#expect(heir.database, [this.#world]);
    }
    const act = chooseAct(this.#random());
    const before = this.#world;
    const { after, run } = this.#prepare(act, mortal);
    mortal.backend.dieAfter(changes, this.#random());
    const isDone = await Promise.race([run().then(() => true), mortal.backend.died.then(() => false)]);
    mortal.backend.kill();
    this.#lock.die('mortal');
    const heirWorld = await this.#goOn(heir, isDone ? [after] : [before, after]);
    heir.backend.kill();
    this.#lock.die('heir');
    await this.#loseThePower(heirWorld);
    const third = await this.#open('third');
    await this.#expect(third.database, [heirWorld]);
    third.backend.kill();
    return { act, isDone };
  }

  /** The heir writes, and holds what it held before with that behind it. @returns what it holds then */
  async #goOn(heir: Process, worlds: readonly World[]): Promise<World> {
    if (this.#random() < 0.5) await this.#expect(heir.database, worlds);
    const { edit, run } = this.#batch(heir.collection);
    await run();
    let found = await this.#expect(
      heir.database,
      worlds.map((world) => world.change('c', edit)),
    );
    if (this.#random() < 0.3) await heir.database.checkpoint();
    if (this.#random() < 0.3) {
      const more = this.#batch(heir.collection);
      await more.run();
      found = await this.#expect(heir.database, [found.change('c', more.edit)]);
    }
    return found;
  }

  /** Everything is promised: whatever of the rest the device has kept, nothing is lost or added. */
  async #loseThePower(world: World): Promise<void> {
    const replay = new CrashReplay(this.#disk);
    while (!replay.isAtEnd) replay.advance();
    for (const kind of IMAGE_KINDS) {
      const image = replay.image(kind, this.#random);
      if (!image) continue;
      const disk = new SimulatedDisk(image.files, true);
      const platform = new SimulatedPlatform(new SimulatedBackend(disk, () => 0));
      await this.#expect(await openLocal(platform, 'shared', {}), [world], `after ${kind}, `);
    }
  }

  async #turn({ database, collection }: Process): Promise<void> {
    const choice = this.#random();
    if (choice < 0.15) await database.checkpoint();
    else if (choice < 0.25) await database.compact();
    else {
      const { edit, run } = this.#batch(collection);
      await run();
      this.#world = this.#world.change('c', edit);
    }
  }

  #prepare(act: LastAct, { database, collection }: Process): { after: World; run: () => Promise<unknown> } {
    if (act === 'checkpoint') return { after: this.#world, run: () => database.checkpoint() };
    if (act === 'compaction') return { after: this.#world, run: () => database.compact() };
    const first = this.#batch(collection);
    if (act === 'batch') return { after: this.#world.change('c', first.edit), run: first.run };
    const second = this.#batch(collection);
    const after = this.#world.change('c', first.edit).change('c', second.edit);
    const run = () =>
      database.transaction(async (tx) => {
        await first.runIn(tx.collection('c'));
        await second.runIn(tx.collection('c'));
      });
    return { after, run };
  }

  #batch(collection: Collection) {
    const numbers = Array.from({ length: 1 + this.#below(BATCH_RECORDS_MAX) }, () => this.#below(IDS));
    const ids = [...new Set(numbers)].map((number) => `id${number}`);
    if (this.#random() < 0.2) {
      const edit = (records: Map<string, unknown>) => {
        for (const id of ids) records.delete(id);
      };
      const runIn = (within: Pick<Collection, 'delete'>) => within.delete(ids);
      return { edit, runIn, run: () => runIn(collection) };
    }
    const text = this.#random() < LARGE_TEXT_SHARE ? 'x'.repeat(LARGE_TEXT_BYTES) : '';
    const batch = ids.map((id) => {
      const number = this.#nextVector++;
      return { id, vector: Float32Array.from(vectorOf(number, DIMENSIONS)), metadata: { number, text } };
    });
    const edit = (records: Map<string, unknown>) => {
      for (const { id, vector, metadata } of batch) records.set(id, { vector, metadata });
    };
    const runIn = (within: Pick<Collection, 'upsert'>) => within.upsert(batch);
    return { edit, runIn, run: () => runIn(collection) };
  }

  async #open(process: string): Promise<Process> {
    const backend = new SimulatedBackend(this.#disk, () => 0);
    const platform = new SimulatedPlatform(backend, { locks: this.#lock.of(process) });
    const database = await openLocal(platform, 'shared', { lockTimeout: FOREVER_MS });
    return { backend, database, collection: await database.collection('c', CONFIG) };
  }

  /** @returns which of the worlds it is */
  async #expect(database: Database, worlds: readonly World[], when = ''): Promise<World> {
    const digest = await digestOfDatabase(database);
    const world = worlds.find((each) => each.digest === digest);
    if (!world)
      throw new Error(`${when}found ${digest}; expected one of ${worlds.map((each) => each.digest).join()}`);
    await checkAnswers(database, world, (dimensions) => vectorOf(this.#nextVector, dimensions));
    return world;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
